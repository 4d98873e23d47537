package egress

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/tenants/destination"
	"github.com/wasgi/wasgi/wasi"
)

// names is a resolver with fixed answers, one after the other.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	answers := n[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(answers) > 1 {
		n[host] = answers[1:]
	}
	return []netip.Addr{netip.MustParseAddr(answers[0])}, nil
}

func entries(t *testing.T, texts ...string) []destination.Destination {
	t.Helper()
	d, err := destination.ParseAll(texts)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func tenant(t *testing.T, ceiling, allow []string, r Resolver) *Tenant {
	t.Helper()
	h := NewHost(Ceilings{Allow: entries(t, ceiling...), Connections: 8}, r)
	return h.Tenant("shop", Policy{Allow: entries(t, allow...), Connections: 4}, slog.New(slog.DiscardHandler))
}

func ruleOf(err error) string {
	var r *wasi.Refusal
	if errors.As(err, &r) {
		return r.Rule
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// TestSpecialAddresses is row 64 of the catalogue: who may connect to every
// public address reaches nothing special, however it is written.
func TestSpecialAddresses(t *testing.T) {
	wide := []string{"*:*", "0.0.0.0/0:*", "[::/0]:*"}
	for address, rule := range map[string]string{
		"169.254.169.254": "metadata", "169.254.170.2": "metadata", "fd00:ec2::254": "metadata", "100.100.100.200": "metadata",
		"168.63.129.16": "metadata", "192.0.0.192": "metadata", "fd20:ce::254": "metadata",
		"127.0.0.1": "loopback", "127.255.255.254": "loopback", "::1": "loopback",
		"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "::": "unspecified",
		"10.0.0.1": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private",
		"100.64.0.1": "private", "fc00::1": "private", "fdff::1": "private", "fec0::1": "private",
		"169.254.1.1": "link-local", "fe80::1": "link-local",
		"224.0.0.1": "multicast", "255.255.255.255": "multicast", "ff02::1": "multicast",
		"::ffff:127.0.0.1": "loopback", "::ffff:10.0.0.1": "private", "::ffff:169.254.169.254": "metadata",
		"::127.0.0.1": "translated", "64:ff9b::7f00:1": "translated", "64:ff9b:1::a00:1": "translated",
		"2002:7f00:1::1": "translated", "2001:0:7f00:1::": "translated", "::ffff:0:127.0.0.1": "translated",
		"192.0.2.1": "reserved", "198.18.0.1": "reserved", "198.51.100.1": "reserved", "203.0.113.1": "reserved",
		"240.0.0.1": "reserved", "2001:db8::1": "reserved", "100::1": "reserved",
		"8.8.8.8": "", "172.32.0.1": "", "100.128.0.1": "", "2606:4700::1111": "", "::ffff:8.8.8.8": "",
	} {
		to := netip.AddrPortFrom(netip.MustParseAddr(address), 80)
		if r := tenant(t, wide, wide, names{}).check(to); ruleOf(errorOrNil(r)) != rule {
			t.Errorf("%s: rule %q, want %q", address, ruleOf(errorOrNil(r)), rule)
		}
		if r := tenant(t, wide, nil, names{}).check(to); r == nil {
			t.Errorf("%s is allowed by nothing", address)
		}
	}
}

func errorOrNil(r *wasi.Refusal) error {
	if r == nil {
		return nil
	}
	return r
}

// TestNamedAddresses: what is special is reached when it is named, by tenant and
// host, and only with an entry that means it.
func TestNamedAddresses(t *testing.T) {
	for _, c := range []struct {
		entry, to, rule string
	}{
		{"127.0.0.1:5432", "127.0.0.1:5432", ""},
		{"127.0.0.1:5432", "127.0.0.1:5433", "loopback"},
		{"127.0.0.1:5432", "127.0.0.2:5432", "loopback"},
		{"127.0.0.0/8:5432", "127.0.0.2:5432", ""},
		{"126.0.0.0/7:5432", "127.0.0.1:5432", "loopback"},
		{"0.0.0.0/0:5432", "10.0.0.1:5432", "private"},
		{"10.0.0.0/8:5432", "10.0.0.1:5432", ""},
		{"10.1.0.0/16:5432", "10.2.0.1:5432", "private"},
		{"169.254.0.0/16:80", "169.254.169.254:80", "metadata"},
		{"169.254.169.254:80", "169.254.169.254:80", ""},
		{"169.254.0.0/16:80", "169.254.1.1:80", ""},
		{"[fc00::/7]:80", "[fd00::1]:80", ""},
		{"[::/0]:80", "[fd00::1]:80", "private"},
		{"0.0.0.0:80", "0.0.0.0:80", "unspecified"},
		{"224.0.0.1:80", "224.0.0.1:80", "multicast"},
		{"[64:ff9b::/96]:80", "[64:ff9b::7f00:1]:80", ""},
		{"*:80", "8.8.8.8:80", ""},
		{"*:80", "8.8.8.8:81", "network.allow"},
		{"8.8.8.0/24:80", "8.8.8.8:80", ""},
		{"8.8.8.0/24:80", "8.8.9.8:80", "network.allow"},
	} {
		to := netip.MustParseAddrPort(c.to)
		if got := ruleOf(errorOrNil(tenant(t, []string{c.entry}, []string{c.entry}, names{}).check(to))); got != c.rule {
			t.Errorf("%s for %s: rule %q, want %q", c.entry, c.to, got, c.rule)
		}
		wide := []string{"*:*"}
		want := c.rule
		if want == "" && c.entry != "*:80" && c.entry != "8.8.8.0/24:80" {
			c, _ := newClassifier().classify(to.Addr())
			want = c.name
		}
		if got := ruleOf(errorOrNil(tenant(t, wide, []string{c.entry}, names{}).check(to))); got != want {
			t.Errorf("%s for %s within *:*: rule %q, want %q", c.entry, c.to, got, want)
		}
	}
}

// TestNames: a name stands for what the resolver said, when that is public.
func TestNames(t *testing.T) {
	r := names{
		"db.example.": {"8.8.4.4"}, "inside.example.": {"10.0.0.7"}, "meta.example.": {"169.254.169.254"},
		"flips.example.": {"8.8.4.5", "127.0.0.1"},
	}
	n := tenant(t, []string{"*:*"}, []string{"db.example:5432", "inside.example:80", "meta.example:80", "flips.example:80"}, r)
	at := func(text string) string { return ruleOf(errorOrNil(n.check(netip.MustParseAddrPort(text)))) }

	if got := at("8.8.4.4:5432"); got != "network.allow" {
		t.Errorf("before it is resolved: %q", got)
	}
	for _, name := range []string{"db.example", "DB.example.", "inside.example", "meta.example", "flips.example"} {
		if found, err := n.Resolve(t.Context(), name); err != nil || len(found) != 1 {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	if _, err := n.Resolve(t.Context(), "flips.example"); err != nil { // rebinding
		t.Error(err)
	}
	for to, rule := range map[string]string{
		"8.8.4.4:5432": "", "8.8.4.4:5433": "network.allow", "8.8.4.5:80": "", "8.8.4.5:5432": "network.allow",
		"10.0.0.7:80": "private", "169.254.169.254:80": "metadata", "127.0.0.1:80": "loopback",
	} {
		if got := at(to); got != rule {
			t.Errorf("%s: rule %q, want %q", to, got, rule)
		}
	}
	for name, rule := range map[string]string{
		"other.example": "network.allow", "x.db.example": "network.allow", "2130706433": "network.allow",
		"0x7f000001": "network.allow", "localhost": "network.allow", "": "network.allow",
	} {
		if _, err := n.Resolve(t.Context(), name); ruleOf(err) != rule {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestHostsList: the host's own list is the most that a tenant gets.
func TestHostsList(t *testing.T) {
	r := names{"db.example.": {"8.8.4.4"}, "x.example.": {"8.8.4.5"}}
	n := tenant(t, []string{"db.example:*"}, []string{"*:*"}, r)
	if _, err := n.Resolve(t.Context(), "db.example"); err != nil {
		t.Error(err)
	}
	if _, err := n.Resolve(t.Context(), "x.example"); ruleOf(err) != "egress" {
		t.Error(err)
	}
	for to, rule := range map[string]string{"8.8.4.4:1": "", "8.8.4.5:1": "egress"} {
		if got := ruleOf(errorOrNil(n.check(netip.MustParseAddrPort(to)))); got != rule {
			t.Errorf("%s: %q", to, got)
		}
	}
}

// TestOwnAddresses: what listens on this machine's own addresses has to be named.
func TestOwnAddresses(t *testing.T) {
	n := tenant(t, []string{"*:*", "8.8.8.8:80"}, []string{"*:*", "8.8.8.8:80"}, names{})
	n.host.own.known = map[netip.Addr]bool{netip.MustParseAddr("8.8.8.8"): true, netip.MustParseAddr("8.8.4.4"): true}
	n.host.own.lookup = farAhead()
	for to, rule := range map[string]string{"8.8.8.8:80": "", "8.8.8.8:81": "own", "8.8.4.4:80": "own", "8.8.4.5:80": ""} {
		if got := ruleOf(errorOrNil(n.check(netip.MustParseAddrPort(to)))); got != rule {
			t.Errorf("%s: %q", to, got)
		}
	}
}

// TestAbove names the entries of a manifest that can have no effect.
func TestAbove(t *testing.T) {
	for _, c := range []struct{ ceiling, entry, above string }{
		{"*:*", "127.0.0.1:5432", "127.0.0.1:5432"}, {"*:*", "8.8.8.8:53", ""}, {"*:443", "8.8.8.8:53", "8.8.8.8:53"}, {"*:*", "db.example:1", ""},
		{"127.0.0.1:5432", "127.0.0.1:5432", ""}, {"127.0.0.0/8:*", "127.0.0.1:5432", ""}, {"127.0.0.5:*", "127.0.0.0/8:1", ""},
		{"db.example:*", "db.example:1", ""}, {"db.example:*", "a.example:1", "a.example:1"}, {"*.example:*", "a.example:1", ""},
		{"a.example:*", "*.example:1", ""}, {"*.example:*", "*.example:1", ""}, {"db.example:1-5", "db.example:6-9", "db.example:6-9"},
	} {
		h := NewHost(Ceilings{Allow: entries(t, c.ceiling)}, names{})
		if got := strings.Join(h.Above(entries(t, c.entry)), " "); got != c.above {
			t.Errorf("%s within %s: %q, want %q", c.entry, c.ceiling, got, c.above)
		}
	}
}

// TestRefusalsAreLoggedAndCounted says what the operator and the programmer see.
func TestRefusalsAreLoggedAndCounted(t *testing.T) {
	var log bytes.Buffer
	h := NewHost(Ceilings{Connections: 1}, names{})
	n := h.Tenant("shop", Policy{}, slog.New(slog.NewTextHandler(&log, nil)))
	_, err := n.Dial(t.Context(), true, netip.MustParseAddrPort("127.0.0.1:5432"))
	const text = `the network policy refuses 127.0.0.1:5432 (rule loopback): only an entry for the address itself allows it: [network] allow = ["127.0.0.1:5432"]`
	if err == nil || err.Error() != text {
		t.Errorf("%v", err)
	}
	_, _ = n.Dial(t.Context(), true, netip.MustParseAddrPort("127.0.0.1:5432"))
	if got := n.Usage().Refusals; len(got) != 1 || got["loopback"] != 2 {
		t.Errorf("%v", got)
	}
	if got := log.String(); strings.Count(got, `msg="the network policy refused the application" rule=loopback what=127.0.0.1:5432 count=`) != 2 {
		t.Errorf("%s", got)
	}
}
