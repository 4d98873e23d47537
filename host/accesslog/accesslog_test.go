package accesslog

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sample() *Entry {
	return &Entry{
		Time:      time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.FixedZone("", 3600)),
		RequestID: "00ff", Tenant: "shop", Remote: "::1", Method: "GET", URI: "/a?b=\"\\\xe4\n", Proto: "HTTP/1.1", Host: "h",
		Status: 200, Bytes: 12, Duration: 1234567 * time.Nanosecond, Wait: time.Millisecond, CPU: 20 * time.Microsecond,
		Received: 34, Pages: 56, UserAgent: "x\x1b[31m\u2028y", TraceID: "4bf9", Fault: "",
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		name   string
		format Format
		entry  *Entry
		want   string
	}{
		{"combined", Combined, sample(), `::1 - - [02/Jan/2026:03:04:05 +0100] "GET /a?b=\"\\\xe4\x0a HTTP/1.1" 200 12 "-" "x\x1b[31m\xe2\x80\xa8y" 00ff shop 1.234 1.000 0.020 56 34`},
		{"combined, nothing", Combined, &Entry{}, `- - - [01/Jan/0001:00:00:00 +0000] "  " 0 0 "-" "-" - - 0.000 0.000 0.000 0 0`},
		{"json", JSON, sample(), `{"ts":"2026-01-02T02:04:05.678Z","request_id":"00ff","tenant":"shop","remote":"::1","method":"GET","host":"h","uri":"/a?b=\"\\\u00e4\u000a","proto":"HTTP/1.1","status":200,"bytes":12,"bytes_in":34,"duration_ms":1.234,"wait_ms":1.000,"cpu_ms":0.020,"pages":56,"user_agent":"x\u001b[31m\u2028y","trace_id":"4bf9"}`},
		{"json, nothing", JSON, &Entry{}, `{"ts":"0001-01-01T00:00:00.000Z","request_id":"","status":0,"bytes":0,"bytes_in":0,"duration_ms":0.000,"wait_ms":0.000,"cpu_ms":0.000,"pages":0}`},
	} {
		if got := string(c.format(nil, c.entry)); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// No text of a client makes a second line, or JSON that is none.
func FuzzFormats(f *testing.F) {
	f.Add("/", "curl")
	f.Add("\n\r\x00\x7f\x85", "\xff\xfe\u2028\"\\")
	f.Fuzz(func(t *testing.T, uri, agent string) {
		e := &Entry{URI: uri, UserAgent: agent, Tenant: uri}
		for _, b := range Combined(nil, e) {
			if b < ' ' || b > '~' {
				t.Fatalf("byte %#x in the combined line", b)
			}
		}
		line := JSON(nil, e)
		if bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' }) {
			t.Fatalf("control characters in %q", line)
		}
		var back map[string]any
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
	})
}

func TestCloseWritesEverything(t *testing.T) {
	var out bytes.Buffer
	l := New(&out, Combined, slog.New(slog.DiscardHandler))
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 1000 {
				l.Write(sample())
			}
		})
	}
	writers.Wait()
	l.Close()
	l.Close()
	l.Write(sample())
	if n := strings.Count(out.String(), "00ff shop 1.234 1.000 0.020 56 34\n"); n != 4000 {
		t.Errorf("%d lines", n)
	}
}

// stuck is a writer that lets go when it is told.
type stuck struct{ free chan struct{} }

func (s stuck) Write(p []byte) (int, error) { <-s.free; return 0, errors.New("disk full") }

func TestStuckWriterStopsNobody(t *testing.T) {
	var log bytes.Buffer
	s := stuck{make(chan struct{})}
	l := New(s, Combined, slog.New(slog.NewTextHandler(&log, nil)))
	big := sample()
	big.URI = strings.Repeat("x", 1<<20)
	for range 10 {
		l.Write(big)
	}
	close(s.free)
	l.Close()
	if !strings.Contains(log.String(), "lines dropped") || !strings.Contains(log.String(), "disk full") {
		t.Errorf("log %s", log.String())
	}
}

func TestNilLog(t *testing.T) {
	var l *Log
	l.Write(sample())
	l.Close()
}
