// Package destination is the grammar of whom an application may connect to, in
// manifests and in the host's settings. It knows no network: package host/egress
// decides with it.
//
// Who may import it: tenants, host and everything below host.
package destination

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Destination is one entry, "HOST:PORTS":
//
//	db.example:5432          a name; its addresses count when they are public
//	*.example:443            every name below
//	192.0.2.7:5432           an address
//	10.1.0.0/16:6379         a network
//	[2001:db8::7]:443        an IPv6 address, [2001:db8::/32]:443 a network
//	*:443                    every name, and every public address
//	db.example:8000-8100     ports from, to
//	db.example:*             every port
type Destination struct {
	// Name is a host name in lower case, or "*." and one; empty for addresses.
	Name string
	// Prefix is a network; invalid for names.
	Prefix netip.Prefix
	// Any is "*".
	Any bool
	// First and Last are the ports, both included.
	First, Last uint16
}

// Parse reads an entry. The error says what is wrong and how it is written.
func Parse(text string) (Destination, error) {
	host, ports, ok := cut(text)
	if !ok {
		return Destination{}, fmt.Errorf("%q names no port: write it like \"db.example:5432\", \"[::1]:5432\" or \"db.example:*\"", text)
	}
	var d Destination
	if err := d.setHost(host); err != nil {
		return Destination{}, fmt.Errorf("%q: %w", text, err)
	}
	if err := d.setPorts(ports); err != nil {
		return Destination{}, fmt.Errorf("%q: %w", text, err)
	}
	return d, nil
}

// ParseAll reads several, up to the first that is wrong.
func ParseAll(texts []string) ([]Destination, error) {
	var out []Destination
	for _, text := range texts {
		d, err := Parse(text)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// cut separates the ports at the last colon, which brackets keep apart from
// those of an IPv6 address.
func cut(text string) (host, ports string, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i <= 0 || i < strings.LastIndexByte(text, ']') {
		return "", "", false
	}
	host, ports = text[:i], text[i+1:]
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		inner, ok = strings.CutSuffix(inner, "]")
		return inner, ports, ok && strings.Contains(inner, ":")
	}
	return host, ports, !strings.Contains(host, ":")
}

func (d *Destination) setHost(host string) error {
	if host == "*" {
		d.Any = true
		return nil
	}
	if p, err := netip.ParsePrefix(host); err == nil {
		if p.Masked() != p {
			return fmt.Errorf("the network has bits below its mask: write %s", p.Masked())
		}
		return d.setPrefix(p)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" {
			return fmt.Errorf("%s has a zone: write the plain address", a)
		}
		return d.setPrefix(netip.PrefixFrom(a, a.BitLen()))
	}
	if strings.Contains(host, "/") {
		return fmt.Errorf("%q is no network", host)
	}
	d.Name = host
	return checkName(host)
}

func (d *Destination) setPrefix(p netip.Prefix) error {
	if a := p.Addr(); a.Is4In6() {
		return fmt.Errorf("%s is an IPv4 address in an IPv6 one: write the plain address", a)
	}
	d.Prefix = p
	return nil
}

// checkName takes names of hosts. One whose last label is a number would be
// taken for an address by somebody.
func checkName(host string) error {
	name := strings.TrimPrefix(host, "*.")
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	if len(name) > 253 || strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return fmt.Errorf("%q is no host name and no address", host)
	}
	for _, label := range labels {
		if !checkLabel(label) {
			return fmt.Errorf("%q is no host name: write it in lower case, international names in their xn-- form", host)
		}
	}
	return nil
}

func checkLabel(label string) bool {
	return label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-' &&
		strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func (d *Destination) setPorts(text string) error {
	if text == "*" {
		d.First, d.Last = 1, 65535
		return nil
	}
	first, last, ranged := strings.Cut(text, "-")
	if !ranged {
		last = first
	}
	var err error
	if d.First, err = parsePort(first); err != nil {
		return err
	}
	if d.Last, err = parsePort(last); err != nil {
		return err
	}
	if d.First > d.Last {
		return fmt.Errorf("ports %s go down", text)
	}
	return nil
}

func parsePort(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 || text[0] == '+' {
		return 0, fmt.Errorf("%q is no port from 1 to 65535", text)
	}
	return uint16(n), nil
}

// HasPort says whether the port is among the entry's.
func (d Destination) HasPort(port uint16) bool { return d.First <= port && port <= d.Last }

// HasName says whether the entry names a host. name is in lower case, without a
// dot at the end.
func (d Destination) HasName(name string) bool {
	if parent, ok := strings.CutPrefix(d.Name, "*"); ok {
		return len(name) > len(parent) && strings.HasSuffix(name, parent)
	}
	return d.Any || d.Name != "" && d.Name == name
}

// Server is the one host and port that the entry stands for; false when it stands
// for several.
func (d Destination) Server() (host string, port uint16, ok bool) {
	host = d.Name
	if d.Prefix.IsSingleIP() {
		host = d.Prefix.Addr().String()
	}
	return host, d.First, host != "" && !strings.HasPrefix(host, "*") && d.First == d.Last
}

// String is the entry as it is written.
func (d Destination) String() string {
	host := d.Name
	switch {
	case d.Any:
		host = "*"
	case d.Prefix.IsValid():
		host = d.Prefix.String()
		if d.Prefix.IsSingleIP() {
			host = d.Prefix.Addr().String()
		}
		if d.Prefix.Addr().Is6() {
			host = "[" + host + "]"
		}
	}
	switch {
	case d.First == 1 && d.Last == 65535:
		return host + ":*"
	case d.First == d.Last:
		return fmt.Sprintf("%s:%d", host, d.First)
	}
	return fmt.Sprintf("%s:%d-%d", host, d.First, d.Last)
}
