package host

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// Who opens connections over and over cannot write the log with it.
func TestCrowdsAreToldOfOnceInAWhile(t *testing.T) {
	var out bytes.Buffer
	c := &crowds{log: slog.New(slog.NewTextHandler(&out, nil)), seldom: seldom{pause: time.Hour}}
	for range 3 {
		c.turnedAway(netip.MustParseAddr("192.0.2.1"))
	}
	if n := strings.Count(out.String(), "\n"); n != 1 || !strings.Contains(out.String(), "last=192.0.2.1 closed=1") {
		t.Errorf("%d lines:\n%s", n, &out)
	}
	out.Reset()
	c.seldom.until = time.Time{}
	c.turnedAway(netip.MustParseAddr("192.0.2.2"))
	if !strings.Contains(out.String(), "last=192.0.2.2 closed=3") {
		t.Errorf("%s", &out)
	}
}
