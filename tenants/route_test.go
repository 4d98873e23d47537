package tenants

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func site1(name string, hosts, paths []string) Tenant {
	return Tenant{Name: name, Dir: "/" + name, Manifest: Manifest{Hosts: hosts, Paths: paths}}
}

func table(t *testing.T) *Router {
	t.Helper()
	r, problems := NewRouter([]Tenant{
		site1("root", nil, []string{"/"}),
		site1("shop", nil, nil),
		site1("cart", nil, []string{"/shop/cart", "/basket"}),
		site1("cafe", nil, []string{"/café"}),
		site1("host", []string{"a.example", "[::1]"}, nil),
		site1("deep", []string{"a.example"}, []string{"/deep"}),
		site1("wild", []string{"*.b.example"}, nil),
		site1("wilder", []string{"*.c.b.example"}, []string{"/x"}),
		site1("one", []string{"only.example"}, []string{"/one"}),
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return r
}

func TestLookup(t *testing.T) {
	r := table(t)
	for _, test := range []struct{ host, path, want string }{
		{"", "/", `root "" "/"`},
		{"", "/x/y", `root "" "/x/y"`},
		{"", "/shop", `shop "/shop" ""`},
		{"", "/shop/", `shop "/shop" "/"`},
		{"", "/shopping", `root "" "/shopping"`},
		{"", "/shop/cart/1", `cart "/shop/cart" "/1"`},
		{"", "/shop/carts", `shop "/shop" "/carts"`},
		{"", "/shop//cart", `shop "/shop" "//cart"`},
		{"", "//shop", `root "" "//shop"`},
		{"", "/Shop", `root "" "/Shop"`},
		{"", "/basket/a%20b", `cart "/basket" "/a b"`},
		{"", "/sh%6Fp/%2e%2E/x", `shop "/shop" "/../x"`},
		{"", "/shop%2Fcart", `cart "/shop/cart" ""`},
		{"", "/shop%2fx%2F", `shop "/shop" "/x/"`},
		{"", "/shop/../basket", `shop "/shop" "/../basket"`},
		{"", "/caf%C3%A9/x", `cafe "/café" "/x"`},
		{"", "/caf%E9", `root "" "/caf\xe9"`},
		{"", "/%00", `root "" "/\x00"`},
		{"", "/a+b;c=d", `root "" "/a+b;c=d"`},
		{"a.example", "/", `host "" "/"`},
		{"A.Example.:8080", "/shop", `host "" "/shop"`},
		{"a.example", "/deep/x", `deep "/deep" "/x"`},
		{"[0:0:0::1]:80", "/x", `host "" "/x"`},
		{"[::1]", "/x", `host "" "/x"`},
		{"b.example", "/", `root "" "/"`},
		{"x.b.example", "/", `wild "" "/"`},
		{"x.y.b.example:1", "/", `wild "" "/"`},
		{"x.c.b.example", "/x", `wilder "/x" ""`},
		{"x.c.b.example", "/y", `wild "" "/y"`},
		{"only.example", "/one/1", `one "/one" "/1"`},
		{"only.example", "/shop", `shop "/shop" ""`},
		{"", "", "error: tenants: malformed request path"},
		{"", "shop", "error: tenants: malformed request path"},
		{"", "*", "error: tenants: malformed request path"},
		{"", "/%", "error: tenants: malformed request path"},
		{"", "/%4", "error: tenants: malformed request path"},
		{"", "/%4g", "error: tenants: malformed request path"},
		{"", "/%g4", "error: tenants: malformed request path"},
		{"", "/%-1", "error: tenants: malformed request path"},
	} {
		m, err := r.Lookup(test.host, test.path)
		got := fmt.Sprintf("%s %q %q", m.Tenant, m.ScriptName, m.PathInfo)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != test.want {
			t.Errorf("%q %q\n got %s\nwant %s", test.host, test.path, got, test.want)
		}
	}
}

func TestLookupWithoutRoute(t *testing.T) {
	r, _ := NewRouter([]Tenant{site1("shop", nil, nil)})
	if m, err := r.Lookup("x.example", "/other"); !errors.Is(err, ErrNoRoute) {
		t.Errorf("%+v, %v; want ErrNoRoute", m, err)
	}
}

func TestRoutesAreListed(t *testing.T) {
	var got []string
	for _, route := range table(t).Routes() {
		got = append(got, route.String()+" "+route.Tenant)
	}
	want := []string{
		"any host / root", "any host /basket cart", "any host /café cafe", "any host /shop shop", "any host /shop/cart cart",
		"*.b.example / wild", "*.c.b.example /x wilder", "[::1] / host", "a.example / host", "a.example /deep deep", "only.example /one one",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestClaimsClash(t *testing.T) {
	r, problems := NewRouter([]Tenant{
		site1("a", nil, []string{"/x", "/x"}),
		site1("b", []string{"h.example"}, []string{"/x"}),
		site1("c", nil, []string{"/x", "/c"}),
		site1("d", []string{"h.example"}, []string{"/x"}),
	})
	var got []string
	for _, p := range problems {
		got = append(got, p.Error())
	}
	want := []string{
		"c: tenants a and c both claim any host /x; a keeps it: give one of them other hosts or paths",
		"d: tenants b and d both claim h.example /x; b keeps it: give one of them other hosts or paths",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if m, err := r.Lookup("", "/x/1"); err != nil || m.Tenant != "a" {
		t.Errorf("%+v, %v; want the first claim", m, err)
	}
	if m, err := r.Lookup("", "/c"); err != nil || m.Tenant != "c" {
		t.Errorf("%+v, %v; want the claim that is not disputed", m, err)
	}
}

func TestNormalizeHost(t *testing.T) {
	for host, want := range map[string]string{
		"": "", "A.b": "a.b", "a.b:80": "a.b", "a.b.": "a.b", "a.b.:80": "a.b", "a.b:": "a.b", "a:b": "a:b", "[::1]:80": "[::1]",
		"[0::1]": "[::1]", "[FE80::1%eth0]": "[fe80::1%eth0]", "[::1": "[::1", "[::1]x": "[::1]x", "[::1]:x": "[::1]:x", "[1.2.3.4]": "[1.2.3.4]",
		"1.2.3.4:5": "1.2.3.4",
	} {
		if got := NormalizeHost(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}

// checkMatch holds for every lookup, whatever the request.
func checkMatch(raw string, m Match) error {
	decoded, err := url.PathUnescape(raw)
	switch {
	case err != nil:
		return fmt.Errorf("%q was routed, and is malformed: %w", raw, err)
	case m.ScriptName+m.PathInfo != decoded:
		return fmt.Errorf("%q: %q + %q is not %q", raw, m.ScriptName, m.PathInfo, decoded)
	case m.PathInfo != "" && m.PathInfo[0] != '/':
		return fmt.Errorf("%q: PATH_INFO %q does not start with a slash", raw, m.PathInfo)
	case strings.HasSuffix(m.ScriptName, "/"):
		return fmt.Errorf("%q: SCRIPT_NAME %q ends with a slash", raw, m.ScriptName)
	}
	return nil
}

func TestEveryByteOfThePathIsHandedOn(t *testing.T) {
	segment := rapid.SampledFrom([]string{"a", "ab", "b", "c", ".", "..", "", "%61", "%2F", "é"})
	prefix := rapid.Custom(func(t *rapid.T) string {
		return "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "ab", "b", "é"}), 1, 3).Draw(t, "prefix"), "/")
	})
	rapid.Check(t, func(t *rapid.T) {
		claims := rapid.SliceOfDistinct(prefix, rapid.ID[string]).Draw(t, "claims")
		var all []Tenant
		for i, p := range claims {
			all = append(all, site1(fmt.Sprint("t", i), nil, []string{p}))
		}
		r, problems := NewRouter(all)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		raw := "/" + strings.Join(rapid.SliceOf(segment).Draw(t, "path"), "/")
		m, err := r.Lookup("h.example", raw)
		want := longestClaim(claims, raw)
		if err != nil {
			if want != "" {
				t.Fatalf("%q: %v, want %q", raw, err, want)
			}
			return
		}
		if err := checkMatch(raw, m); err != nil {
			t.Fatal(err)
		}
		if m.ScriptName != want {
			t.Fatalf("%q: prefix %q, want %q", raw, m.ScriptName, want)
		}
	})
}

// longestClaim is the rule as one would write it down.
func longestClaim(claims []string, raw string) string {
	decoded, _ := url.PathUnescape(raw)
	best := ""
	for _, c := range claims {
		if strings.HasPrefix(decoded+"/", c+"/") && len(c) > len(best) {
			best = c
		}
	}
	return best
}

func FuzzLookup(f *testing.F) {
	for _, s := range []string{"/", "/shop", "/shop%2F..", "/%", "//", "/shop/cart", "", "/caf%c3%a9/"} {
		f.Add("a.example", s)
	}
	f.Add("[::1]:80", "/x")
	r, _ := NewRouter([]Tenant{
		site1("root", nil, []string{"/"}), site1("shop", nil, nil), site1("cart", []string{"a.example", "*.a.example"}, []string{"/shop/cart"}),
	})
	f.Fuzz(func(t *testing.T, host, raw string) {
		m, err := r.Lookup(host, raw)
		if err != nil {
			if decoded, bad := url.PathUnescape(raw); bad == nil && strings.HasPrefix(decoded, "/") && strings.HasPrefix(raw, "/") {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		if err := checkMatch(raw, m); err != nil {
			t.Error(err)
		}
		if again := NormalizeHost(NormalizeHost(host)); CheckHost(NormalizeHost(host)) == nil && again != NormalizeHost(host) {
			t.Errorf("host %q is normalised to %q, then to %q", host, NormalizeHost(host), again)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	var all []Tenant
	for i := range 1000 {
		all = append(all, site1(fmt.Sprint("tenant", i), nil, nil))
	}
	r, _ := NewRouter(all)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Lookup("www.example.com:8080", "/tenant500/articles/2026/07/some-title/comments"); err != nil {
			b.Fatal(err)
		}
	}
}
