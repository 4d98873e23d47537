package tenantlog

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
)

func newTest(rate int64) (*Log, *bytes.Buffer, *time.Time) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	noTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: noTime}))
	return newLog(log, "shop", rate, func() time.Time { return now }), &out, &now
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
	l, out, now := newTest(10)
	for range 5 {
		l.Guest(abi.LogErrors, "1234", "")
	}
	l.Budgeted().Info("12345678")
	if got := strings.Count(out.String(), "msg=1234 "); got != 2 || strings.Contains(out.String(), "12345678") {
		t.Errorf("%d records:\n%s", got, out)
	}
	out.Reset()
	*now = now.Add(400 * time.Millisecond)
	l.Guest(abi.LogErrors, "5678", "")
	want := "level=WARN msg=\"log above tenant_log_rate: records dropped\" tenant=shop records=4\nlevel=WARN msg=5678 tenant=shop source=errors\n"
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out, want)
	}
	out.Reset()
	*now = now.Add(time.Hour)
	for range 5 {
		l.Guest(abi.LogErrors, "12345", "")
	}
	if got := strings.Count(out.String(), "msg=12345 "); got != 2 {
		t.Errorf("an idle hour saved up %d records", got)
	}
}

func TestLongLineIsCut(t *testing.T) {
	l, out, _ := newTest(1 << 20)
	l.Guest(abi.LogErrors, strings.Repeat("é", maxLine), "")
	if got := out.Len(); got > maxLine+100 || !strings.Contains(out.String(), "é … cut") {
		t.Errorf("%d bytes, end %q", got, out.String()[got-60:])
	}
}
