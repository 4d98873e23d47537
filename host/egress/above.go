package egress

import (
	"strings"

	"github.com/wasgi/wasgi/tenants/destination"
)

// Above are those of a tenant's entries that the host's own list keeps from
// having any effect, as far as that can be told before a name is resolved.
func (h *Host) Above(allow []destination.Destination) (texts []string) {
	for _, d := range allow {
		if !h.mayAdmit(d) {
			texts = append(texts, d.String())
		}
	}
	return texts
}

// mayAdmit looks at the first address of a network and the first of its ports.
func (h *Host) mayAdmit(d destination.Destination) bool {
	for _, c := range h.ceilings.Allow {
		if c.Last < d.First || d.Last < c.First {
			continue
		}
		switch {
		case d.Prefix.IsValid():
			a := d.Prefix.Addr()
			kind, special := h.classify(a)
			if c.Prefix.IsValid() && d.Prefix.Contains(c.Prefix.Addr()) || admits(c, a, kind, special, nil) {
				return true
			}
		case d.Any || c.Any || c.Prefix.IsValid():
			return true
		case c.HasName(strings.TrimPrefix(d.Name, "*.")) || d.HasName(strings.TrimPrefix(c.Name, "*.")) || c.HasName("x."+strings.TrimPrefix(d.Name, "*.")):
			return true
		}
	}
	return false
}
