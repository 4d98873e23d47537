package tenantlog

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lastOf are the last lines.
func lastOf(t *testing.T, l *Log, n int) (all []Line) {
	t.Helper()
	if err := l.Read(n, time.Time{}).Next(func(l Line) error { all = append(all, l); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTail(t *testing.T) {
	var out bytes.Buffer
	l := New(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelError})), "shop", 1<<20, Options{})
	l.Slog().Info("by the host", "n", 1)
	l.Guest(0, "by the guest\n", "r1")
	l.GuestSlog().With("tenant", "shop").WithGroup("g").Warn("passed on", "k", "v")
	l.Slog().Debug("below")
	got := lastOf(t, l, 10)
	for i := range got {
		if time.Since(got[i].Time) > time.Minute {
			t.Errorf("%+v", got[i])
		}
		got[i].Time = time.Time{}
	}
	want := []Line{
		{Level: slog.LevelInfo, Message: "by the host", Fields: map[string]string{"n": "1"}},
		{Level: got[1].Level, Message: "by the guest", Fields: map[string]string{"source": got[1].Fields["source"], "request_id": "r1"}},
		{Level: slog.LevelWarn, Message: "passed on", Fields: map[string]string{"g.k": "v"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if last := lastOf(t, l, 1); len(last) != 1 || last[0].Message != "passed on" {
		t.Errorf("%+v", last)
	}
	if text := out.String(); strings.Contains(text, "by the host") {
		t.Errorf("what is below the log's level was written: %s", text)
	}
}

func TestTailIsBounded(t *testing.T) {
	l := New(slog.New(slog.DiscardHandler), "shop", 1<<30, Options{})
	for i := range 3000 {
		l.Slog().Info(fmt.Sprint(i))
	}
	last := lastOf(t, l, 5000)
	if len(last) == 0 || len(last) > tailLines || last[len(last)-1].Message != "2999" || l.tail.bytes > tailBytes {
		t.Errorf("%d lines, %d bytes", len(last), l.tail.bytes)
	}
	l.Slog().Info(strings.Repeat("x", 100<<10))
	l.Slog().Info(strings.Repeat("y", 100<<10))
	sum := 0
	all := lastOf(t, l, 5000)
	for _, line := range all {
		sum += line.size()
	}
	if sum != l.tail.bytes || sum > tailBytes {
		t.Errorf("%d bytes are kept, counted %d", sum, l.tail.bytes)
	}
}

func TestWatch(t *testing.T) {
	l := New(slog.New(slog.DiscardHandler), "shop", 1<<20, Options{})
	wake, stop := l.Watch()
	l.Slog().Info("one")
	l.Slog().Info("two")
	<-wake
	stop()
	l.Slog().Info("three")
	select {
	case <-wake:
		t.Error("woken after stop")
	default:
	}
}
