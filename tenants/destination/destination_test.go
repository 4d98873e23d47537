package destination

import "testing"

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want, fault string }{
		{text: "db.example:5432", want: "db.example:5432"},
		{text: "*.example.com:443", want: "*.example.com:443"},
		{text: "*:443", want: "*:443"},
		{text: "*:*", want: "*:*"},
		{text: "db.example:8000-8100", want: "db.example:8000-8100"},
		{text: "192.0.2.7:5432", want: "192.0.2.7:5432"},
		{text: "10.1.0.0/16:6379", want: "10.1.0.0/16:6379"},
		{text: "[::1]:80", want: "[::1]:80"},
		{text: "[fd00::/8]:1-65535", want: "[fd00::/8]:*"},
		{text: "db.example", fault: `"db.example" names no port: write it like "db.example:5432", "[::1]:5432" or "db.example:*"`},
		{text: "::1:80", fault: `"::1:80" names no port: write it like "db.example:5432", "[::1]:5432" or "db.example:*"`},
		{text: "[10.0.0.1]:80", fault: `"[10.0.0.1]:80" names no port: write it like "db.example:5432", "[::1]:5432" or "db.example:*"`},
		{text: "db:0", fault: `"db:0": "0" is no port from 1 to 65535`},
		{text: "db:+1", fault: `"db:+1": "+1" is no port from 1 to 65535`},
		{text: "db:9-1", fault: `"db:9-1": ports 9-1 go down`},
		{text: "db:65536", fault: `"db:65536": "65536" is no port from 1 to 65535`},
		{text: "10.1.2.3/16:80", fault: `"10.1.2.3/16:80": the network has bits below its mask: write 10.1.0.0/16`},
		{text: "10.0.0.0/33:80", fault: `"10.0.0.0/33:80": "10.0.0.0/33" is no network`},
		{text: "[fe80::1%eth0]:80", fault: `"[fe80::1%eth0]:80": fe80::1%eth0 has a zone: write the plain address`},
		{text: "[::ffff:10.0.0.1]:80", fault: `"[::ffff:10.0.0.1]:80": ::ffff:10.0.0.1 is an IPv4 address in an IPv6 one: write the plain address`},
		{text: "2130706433:80", fault: `"2130706433:80": "2130706433" is no host name and no address`},
		{text: "127.1:80", fault: `"127.1:80": "127.1" is no host name and no address`},
		{text: "0x7f.0x1:80", fault: `"0x7f.0x1:80": "0x7f.0x1" is no host name and no address`},
		{text: "Db.example:80", fault: `"Db.example:80": "Db.example" is no host name: write it in lower case, international names in their xn-- form`},
		{text: "a*.example:80", fault: `"a*.example:80": "a*.example" is no host name: write it in lower case, international names in their xn-- form`},
		{text: "*.:80", fault: `"*.:80": "*." is no host name and no address`},
		{text: "db.example.:80", fault: `"db.example.:80": "db.example." is no host name and no address`},
		{text: "", fault: `"" names no port: write it like "db.example:5432", "[::1]:5432" or "db.example:*"`},
	} {
		d, err := Parse(c.text)
		switch {
		case c.fault == "" && (err != nil || d.String() != c.want):
			t.Errorf("%q: %v, %v", c.text, d, err)
		case c.fault != "" && (err == nil || err.Error() != c.fault):
			t.Errorf("%q: %v, want %s", c.text, err, c.fault)
		}
	}
}

func TestNamesAndPorts(t *testing.T) {
	for _, c := range []struct {
		entry, name string
		port        uint16
		named, open bool
	}{
		{"db.example:5432", "db.example", 5432, true, true},
		{"db.example:5432", "x.db.example", 5433, false, false},
		{"*.example:80-82", "a.example", 82, true, true},
		{"*.example:80-82", "a.b.example", 83, true, false},
		{"*.example:80", "example", 80, false, true},
		{"*.example:80", "badexample", 80, false, true},
		{"*.example:80", ".example", 80, false, true},
		{"*:*", "any.thing", 65535, true, true},
		{"10.0.0.0/8:1", "db.example", 1, false, true},
	} {
		d, err := Parse(c.entry)
		if err != nil {
			t.Fatal(err)
		}
		if d.HasName(c.name) != c.named || d.HasPort(c.port) != c.open {
			t.Errorf("%s: %s %v, %d %v", c.entry, c.name, d.HasName(c.name), c.port, d.HasPort(c.port))
		}
	}
}

// FuzzParse takes whatever comes; what it takes is written as one thing only.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"db.example:5432", "*:1-2", "[fd00::/8]:*", "10.0.0.0/8:80", "*.a:1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(d.String())
		if err != nil || again != d {
			t.Errorf("%q is %v, and that %v, %v", text, d, again, err)
		}
	})
}
