package tenants

import "testing"

func TestNameOf(t *testing.T) {
	for dir, want := range map[string]string{
		"/srv/shop": "shop", "/srv/Shop/": "shop", "a.b_c-1": "a.b_c-1", "/srv/my app": "app", "/": "app", ".": "app",
	} {
		if got := NameOf(dir); got != want {
			t.Errorf("NameOf(%q) = %q, want %q", dir, got, want)
		}
	}
}
