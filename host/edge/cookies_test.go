package edge

import "testing"

func TestOwnCookiesAreKept(t *testing.T) {
	for _, c := range []struct {
		field, want string
		left        bool
	}{
		{"", "", true},
		{"a=1; b=2", "a=1; b=2", true},
		{"a=1;b=wasgi_consol", "a=1;b=wasgi_consol", true},
		{"wasgi_console=s3cret", "", false},
		{"a=1; wasgi_console=s3cret; b=2", "a=1; b=2", true},
		{"__Host-wasgi_console=s; a=1", "a=1", true},
		{"a=1;wasgi_console_login=s;  wasgi_console =x", "a=1", true},
		{"wasgi_console", "", false},
		{"a=wasgi_console; b=2", "a=wasgi_console; b=2", true},
	} {
		if got, left := withoutOwn(c.field); got != c.want || left != c.left {
			t.Errorf("%q: %q %v, want %q %v", c.field, got, left, c.want, c.left)
		}
	}
}
