package tenants

import "testing"

func TestMisdirected(t *testing.T) {
	r := table(t)
	for _, test := range []struct {
		serverName, host, path string
		want                   bool
	}{
		{"a.example", "a.example", "/", false},
		{"A.Example.", "a.example:443", "/", false},
		{"a.example", "x.b.example", "/", true},
		{"x.b.example", "a.example", "/", true},
		{"x.b.example", "y.b.example", "/", false},        // one tenant's pattern
		{"x.b.example", "z.c.b.example", "/x", true},      // a pattern below it is another's
		{"z.c.b.example", "x.b.example", "/", false},      // and its tenant has /x only
		{"a.example", "a.example", "/deep", false},        // two tenants share a host
		{"only.example", "a.example", "/one", true},       // by path it is another's
		{"only.example", "other.example", "/shop", false}, // who answers to any host answers to this one
		{"a.example", "other.example", "/shop", true},     // but not where the host's owner does
		{"lb.internal", "a.example", "/", false},          // nobody's name
		{"", "a.example", "/", false},
	} {
		m, err := r.Lookup(test.host, test.path)
		if err != nil {
			t.Fatalf("%+v: %v", test, err)
		}
		if got := r.Misdirected(test.serverName, test.path, m.Tenant); got != test.want {
			t.Errorf("%+v (%s): %v", test, m.Tenant, got)
		}
	}
}
