package egress

import "net/netip"

// kind is a sort of addresses that are not just anybody's.
type kind struct {
	name     string // the rule's name in messages and logs
	networks []string
	never    bool // no entry admits it
	exact    bool // only an entry for that one address admits it
}

// kinds are the special networks of IANA's registries and the addresses at which
// clouds serve credentials, the narrowest first.
func kinds() []kind {
	return []kind{
		{name: "metadata", exact: true, networks: []string{
			"169.254.169.254/32", "169.254.170.2/32", "169.254.169.253/32", "169.254.169.123/32", "100.100.100.200/32",
			"168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128",
		}},
		{name: "unspecified", never: true, networks: []string{"0.0.0.0/8", "::/128"}},
		{name: "multicast", never: true, networks: []string{"224.0.0.0/4", "255.255.255.255/32", "ff00::/8"}},
		{name: "loopback", networks: []string{"127.0.0.0/8", "::1/128"}},
		{name: "link-local", networks: []string{"169.254.0.0/16", "fe80::/10"}},
		{name: "private", networks: []string{
			"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10",
		}},
		// An IPv4 address hides in each of these: a gateway would unpack it.
		{name: "translated", networks: []string{
			"::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32",
		}},
		{name: "reserved", networks: []string{
			"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
			"240.0.0.0/4", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
		}},
	}
}

// class is the kind of one address and the network that makes it so.
type class struct {
	kind
	network netip.Prefix
}

// classifier knows the kinds. It is never written to.
type classifier []class

func newClassifier() classifier {
	var c classifier
	for _, k := range kinds() {
		for _, n := range k.networks {
			c = append(c, class{k, netip.MustParsePrefix(n)})
		}
	}
	return c
}

// classify finds the kind of an address that is no IPv4 address in IPv6 clothes;
// false is a public one.
func (c classifier) classify(a netip.Addr) (class, bool) {
	for _, k := range c {
		if k.network.Contains(a) {
			return k, true
		}
	}
	return class{}, false
}

// namedBy says whether an entry's network is meant for addresses of this kind: it
// lies within, and is not merely so wide that it happens to include them.
func (c class) namedBy(p netip.Prefix) bool {
	if c.never {
		return false
	}
	if c.exact {
		return p.IsSingleIP()
	}
	return p.Bits() >= c.network.Bits() && c.network.Contains(p.Addr())
}
