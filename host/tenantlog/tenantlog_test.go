package tenantlog

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
)

// testClock is a clock that stands still; due are the functions that wait.
type testClock struct {
	now time.Time
	due []func()
}

func (c *testClock) pass(d time.Duration) {
	c.now = c.now.Add(d)
	due := c.due
	c.due = nil
	for _, f := range due {
		f()
	}
}

func (c *testClock) clock() clock {
	return clock{
		func() time.Time { return c.now },
		func(_ time.Duration, f func()) { c.due = append(c.due, f) },
	}
}

func newTest(rate int64) (*Log, *bytes.Buffer, *testClock) {
	var out bytes.Buffer
	c := &testClock{now: time.Unix(1000, 0)}
	noTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: noTime}))
	return newLog(log, "shop", rate, Options{}, c.clock()), &out, c
}

func TestLines(t *testing.T) {
	l, out, _ := newTest(1 << 20)
	l.Guest(abi.LogErrors, "one\r\n\ntwo", "id1")
	l.Guest(abi.LogTraceback, "a\nb\n", "id2")
	l.Guest(abi.LogGateway, "g", "")
	stdout := l.Output("stdout")
	for _, p := range []string{"par", "tial\nnext", "\n"} {
		if _, err := stdout.Write([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	l.GuestSlog().Info("guest", "tenant", "shop", "text", "x")
	want := `level=WARN msg=one tenant=shop source=errors request_id=id1
level=WARN msg=two tenant=shop source=errors request_id=id1
level=ERROR msg="a\nb" tenant=shop source=traceback request_id=id2
level=ERROR msg=g tenant=shop source=gateway
level=INFO msg=partial tenant=shop source=stdout
level=INFO msg=next tenant=shop source=stdout
level=INFO msg=guest tenant=shop text=x
`
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out, want)
	}
}

func TestBudget(t *testing.T) {
	const record = overhead + 4
	l, out, c := newTest(2*record + 10)
	for range 5 {
		l.Guest(abi.LogErrors, "1234", "")
	}
	l.Budgeted().Info("12345678")
	wantRecords(t, out, 2, "level=WARN msg=1234 tenant=shop source=errors\n")
	wantRecords(t, out, 0, "")
	c.pass(400 * time.Millisecond) // too little for another
	l.Guest(abi.LogErrors, "1234", "")
	wantRecords(t, out, 1, "level=WARN msg=\"log above tenant_log_rate: records dropped\" tenant=shop records=4\n")
	c.pass(200 * time.Millisecond)
	l.Guest(abi.LogErrors, "5678", "")
	if want := "records=1\nlevel=WARN msg=5678 tenant=shop source=errors\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got:\n%swant at the end:\n%s", out, want)
	}
	out.Reset()
	c.pass(time.Hour)
	for range 5 {
		l.Guest(abi.LogErrors, "1234", "")
	}
	wantRecords(t, out, 2, "level=WARN msg=1234 tenant=shop source=errors\n") // an idle hour saves up nothing
}

// TestLinesOfNothingCost: the text of a record is the smallest part of it.
func TestLinesOfNothingCost(t *testing.T) {
	l, out, _ := newTest(1 << 20)
	l.Guest(abi.LogErrors, strings.Repeat("x\n", 100_000), "")
	if most := 1<<20 + 100; out.Len() > most {
		t.Errorf("a rate of 1 MiB let %d bytes into the log, want %d at most", out.Len(), most)
	}
}

// TestEscapesCost: control characters become several in the log.
func TestEscapesCost(t *testing.T) {
	l, out, _ := newTest(1 << 20)
	for range 100 {
		l.Guest(abi.LogTraceback, strings.Repeat("\x00\x1b", 30_000), "")
	}
	if most := 1<<20 + 6*60_000; out.Len() > most {
		t.Errorf("a rate of 1 MiB let %d bytes into the log, want %d at most", out.Len(), most)
	}
}

// TestRecordAboveTheRate: a traceback that is longer than a second's worth is
// not lost for ever.
func TestRecordAboveTheRate(t *testing.T) {
	l, out, c := newTest(1000)
	text := strings.Repeat("x", 2500)
	l.Guest(abi.LogTraceback, text, "")
	wantRecords(t, out, 1, "level=ERROR msg="+text+" tenant=shop source=traceback\n")
	c.pass(time.Second)
	l.Guest(abi.LogErrors, "x", "")
	wantRecords(t, out, 0, "")
	c.pass(5 * time.Second)
	out.Reset()
	l.Guest(abi.LogErrors, "x", "")
	wantRecords(t, out, 1, "level=WARN msg=x tenant=shop source=errors\n")
}

// wantRecords compares what was written and forgets it.
func wantRecords(t *testing.T, out *bytes.Buffer, n int, record string) {
	t.Helper()
	if want := strings.Repeat(record, n); out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out, want)
	}
	out.Reset()
}

func TestLongLineIsCut(t *testing.T) {
	l, out, _ := newTest(1 << 20)
	l.Guest(abi.LogErrors, strings.Repeat("é", maxLine), "")
	if got := out.Len(); got > maxLine+100 || !strings.Contains(out.String(), "é … cut") {
		t.Errorf("%d bytes, end %q", got, out.String()[got-60:])
	}
}
