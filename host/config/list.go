package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// List is several words: an array of strings in the file, separated by commas
// in the environment and in a flag. It is kept in the second form.
type List string

// Items are the words without space around them. Empty ones are left out.
func (l List) Items() []string {
	var out []string
	for item := range strings.SplitSeq(string(l), ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// String, Set and Type make *List a flag value (pflag.Value).
func (l *List) String() string { return string(*l) }

// Set takes the words.
func (l *List) Set(s string) error {
	*l = List(s)
	return nil
}

// Type is the word that --help shows.
func (l *List) Type() string { return "list" }

func assignList(p *List, raw any) error {
	if s, ok := raw.(string); ok {
		return p.Set(s)
	}
	values, ok := raw.([]any)
	if !ok {
		return fmt.Errorf("want a list of strings, not %v", raw)
	}
	words := make([]string, len(values))
	for i, v := range values {
		if words[i], ok = v.(string); !ok || strings.Contains(words[i], ",") {
			return fmt.Errorf("want a list of strings, not one with %v", v)
		}
	}
	return p.Set(strings.Join(words, ","))
}

// Proxies takes TrustedProxies apart: networks, and whether who connects through
// a Unix socket is trusted. It fails on what is neither a network, an address nor
// the word unix.
func (c *Config) Proxies() (networks []netip.Prefix, unix bool, err error) {
	for _, item := range c.TrustedProxies.Items() {
		if item == "unix" {
			unix = true
			continue
		}
		n, err := network(item)
		if err != nil {
			return nil, false, err
		}
		networks = append(networks, n)
	}
	return networks, unix, nil
}

func network(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return p, fmt.Errorf("%q is no network: write one such as 10.0.0.0/8, an address, or unix", s)
	case p.Addr().Is4In6():
		return p, fmt.Errorf("%q is an IPv4 network in IPv6: write it as IPv4", s)
	case p != p.Masked():
		return p, fmt.Errorf("%q has bits behind its length: write %s", s, p.Masked())
	}
	return p, nil
}
