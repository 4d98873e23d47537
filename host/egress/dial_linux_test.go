package egress

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/wasgi/wasgi/wasi"
)

func farAhead() time.Time { return time.Now().Add(time.Hour) }

func listener(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// TestConnectionsAreCapped: those of a tenant, and those of all; closing makes
// room.
func TestConnectionsAreCapped(t *testing.T) {
	to := listener(t)
	allow := entries(t, to.String())
	h := NewHost(Ceilings{Allow: allow, Connections: 3}, names{})
	a := h.Tenant("a", Policy{Allow: allow, Connections: 2}, slog.New(slog.DiscardHandler))
	b := h.Tenant("b", Policy{Allow: allow, Connections: 2}, slog.New(slog.DiscardHandler))
	dial := func(n *Tenant) (*wasi.Link, string) {
		l, err := n.Dial(t.Context(), true, to)
		if l != nil {
			t.Cleanup(func() { l.File.Close() })
		}
		return l, ruleOf(err)
	}
	first, _ := dial(a)
	_, _ = dial(a)
	if _, rule := dial(a); rule != "network.connections" {
		t.Errorf("rule %q", rule)
	}
	if _, rule := dial(b); rule != "" {
		t.Errorf("rule %q", rule)
	}
	if _, rule := dial(b); rule != "egress_connections" {
		t.Errorf("rule %q", rule)
	}
	first.Meter.Close()
	first.Meter.Close() // counts once
	if a.Usage().Open != 1 || b.Usage().Open != 1 || h.open.Load() != 2 {
		t.Errorf("%d, %d, %d open", a.Usage().Open, b.Usage().Open, h.open.Load())
	}
	if _, rule := dial(b); rule != "" {
		t.Errorf("rule %q", rule)
	}
}

// TestCountsSurviveReleases: a new release of a tenant counts with the old one.
func TestCountsSurviveReleases(t *testing.T) {
	to := listener(t)
	allow := entries(t, to.String())
	h := NewHost(Ceilings{Allow: allow, Connections: 9}, names{})
	p := Policy{Allow: allow, Connections: 1}
	l, err := h.Tenant("a", p, slog.New(slog.DiscardHandler)).Dial(t.Context(), true, to)
	if err != nil {
		t.Fatal(err)
	}
	defer l.File.Close()
	if _, err := h.Tenant("a", p, slog.New(slog.DiscardHandler)).Dial(t.Context(), true, to); ruleOf(err) != "network.connections" {
		t.Errorf("%v", err)
	}
}

// TestMeters: bytes end a connection, the rate makes it wait.
func TestMeters(t *testing.T) {
	var ended sync.WaitGroup
	ended.Add(1)
	refuse := func(rule, what string) *wasi.Refusal { return &wasi.Refusal{Rule: rule, What: what} }
	m := NewMeters(Policy{Bytes: 100}).New("peer", refuse, ended.Done)
	if r := m.Moved(60, 39); r != nil {
		t.Errorf("%v", r)
	}
	if r := m.Moved(0, 1); r == nil || r.Rule != "network.bytes" {
		t.Errorf("%v", r)
	}
	m.Close()
	ended.Wait()

	now := time.Unix(1000, 0)
	b := newBucket(1000)
	b.take(1500, now)
	if got := b.wait(now); got != 501*time.Millisecond {
		t.Errorf("wait %v", got)
	}
	if got := b.wait(now.Add(501 * time.Millisecond)); got != 0 {
		t.Errorf("wait %v", got)
	}
	b.wait(now.Add(time.Hour))
	if b.left != 1000 {
		t.Errorf("%v left", b.left)
	}
}

func TestPinsAreBoundedAndEnd(t *testing.T) {
	var p pins
	now := time.Unix(1000, 0)
	a := netip.MustParseAddr("8.8.8.8")
	p.add("a.example", []netip.Addr{a}, now)
	p.add("b.example", []netip.Addr{a}, now)
	if got := p.names(a, now); len(got) != 2 || got[0] != "a.example" || got[1] != "b.example" {
		t.Errorf("%v", got)
	}
	if got := p.names(a, now.Add(pinFor)); got != nil {
		t.Errorf("%v", got)
	}
	for i := range 3 * maxPins {
		p.add("c.example", []netip.Addr{netip.AddrFrom4([4]byte{9, byte(i >> 16), byte(i >> 8), byte(i)})}, now)
	}
	if len(p.known) > maxPins {
		t.Errorf("%d pins", len(p.known))
	}
}
