package egress

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/egress/postgres"
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

	slow := NewMeters(Policy{}).Within(1).New("peer", refuse, func() {})
	if slow.Moved(3600, 0); slow.Pause() < time.Minute {
		t.Errorf("after an hour's worth the pause is %v", slow.Pause())
	}
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

// TestPoolsAnswer in the place of the servers that the manifest names, within the
// policy, and are the tenant's own.
func TestPoolsAnswer(t *testing.T) {
	to, other := listener(t), listener(t)
	allow := entries(t, to.String(), other.String())
	h := NewHost(Ceilings{Allow: allow, Connections: 9}, names{})
	server := postgres.Config{Host: to.Addr().String(), Port: to.Port(), Size: 3, Wait: time.Second, Idle: time.Hour, Lifetime: time.Hour}
	p := Policy{Allow: allow, Connections: 2, Pools: []postgres.Config{server}}
	a, again := h.Tenant("a", p, slog.New(slog.DiscardHandler)), h.Tenant("a", p, slog.New(slog.DiscardHandler))
	b := h.Tenant("b", p, slog.New(slog.DiscardHandler))
	if a.backendFor(to) == nil || a.backendFor(to) != again.backendFor(to) || a.backendFor(to) == b.backendFor(to) || a.backendFor(other) != nil {
		t.Error("pools belong to tenants and servers")
	}
	l, err := a.Dial(t.Context(), true, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.File.Write([]byte("\x00\x00\x00\x08\x04\xd2\x16\x2f")); err != nil {
		t.Fatal(err)
	}
	if n, err := l.File.Read(make([]byte, 10)); n != 1 || err != nil { // the listener never answers
		t.Errorf("%d, %v", n, err)
	}
	l.Meter.Moved(8, 1)
	if got := a.Usage(); got.Open != 1 || got.Opened != 1 || got.Sent != 8 || got.Received != 1 || got.Pools.Size != 3 {
		t.Errorf("%+v", got)
	}
	l.Meter.Close()
	l.File.Close()
	none := h.Tenant("c", Policy{Connections: 2, Pools: p.Pools}, slog.New(slog.DiscardHandler))
	if _, err := none.Dial(t.Context(), true, to); ruleOf(err) != "loopback" {
		t.Errorf("%v", err)
	}
	h.Forget("a")
	if _, ok := h.Usage("a"); ok {
		t.Error("a tenant that has gone is remembered")
	}
}

// TestDoorsKeepToThePolicy: what a pool connects to is checked and counted.
func TestDoorsKeepToThePolicy(t *testing.T) {
	to := listener(t)
	h := NewHost(Ceilings{Allow: entries(t, to.String()), Connections: 1}, names{})
	in := door{h.Tenant("a", Policy{Allow: entries(t, to.String())}, slog.New(slog.DiscardHandler))}
	c, err := in.Connect(t.Context(), to)
	if err != nil || h.open.Load() != 1 {
		t.Fatalf("%v, %d", err, h.open.Load())
	}
	var plain postgres.Plain
	if _, err := in.Connect(t.Context(), to); !errors.As(err, &plain) || ruleOf(err) != "egress_connections" {
		t.Errorf("%v", err)
	}
	c.Close()
	c.Close()
	if h.open.Load() != 0 {
		t.Errorf("%d", h.open.Load())
	}
	out := door{h.Tenant("b", Policy{}, slog.New(slog.DiscardHandler))}
	if _, err := out.Connect(t.Context(), to); ruleOf(err) != "loopback" {
		t.Errorf("%v", err)
	}
	if _, err := out.Lookup(t.Context(), "db.example"); ruleOf(err) != "network.allow" {
		t.Errorf("%v", err)
	}
}

// TestRulesAreBounded: a worker may say anything.
func TestRulesAreBounded(t *testing.T) {
	h := NewHost(Ceilings{}, names{})
	a := h.Tenant("a", Policy{}, slog.New(slog.DiscardHandler))
	for _, rule := range []string{"listen", "x1", "x2", "metadata"} {
		a.Refuse(rule, "what")
	}
	if got := a.Usage().Refusals; len(got) != 3 || got["other"] != 2 || got["listen"] != 1 || got["metadata"] != 1 {
		t.Errorf("%v", got)
	}
}

// TestPoolsAnswerForNames, at the addresses that were resolved for them.
func TestPoolsAnswerForNames(t *testing.T) {
	allow := entries(t, "db.example:5432")
	h := NewHost(Ceilings{Allow: allow, Connections: 9}, names{"db.example.": {"8.8.8.8"}})
	a := h.Tenant("a", Policy{Allow: allow, Connections: 2, Pools: []postgres.Config{{Host: "db.example", Port: 5432, Size: 1}}}, slog.New(slog.DiscardHandler))
	to := netip.MustParseAddrPort("8.8.8.8:5432")
	if a.backendFor(to) != nil {
		t.Error("an address that nobody has resolved has a pool")
	}
	if _, err := a.Resolve(t.Context(), "db.example"); err != nil {
		t.Fatal(err)
	}
	if a.backendFor(to) == nil || a.backendFor(netip.MustParseAddrPort("[::ffff:8.8.8.8]:5432")) == nil {
		t.Error("the name's address has no pool")
	}
	if a.backendFor(netip.MustParseAddrPort("8.8.8.8:5433")) != nil || a.backendFor(netip.MustParseAddrPort("8.8.4.4:5432")) != nil {
		t.Error("another server has the pool")
	}
}
