package script

import "testing"

func TestScriptIndex(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{
		{nil, -1},
		{[]string{"-c", "print(1)", "x.py"}, -1},
		{[]string{"-Ic", "print(1)"}, -1},
		{[]string{"-m", "http.server"}, -1},
		{[]string{"-"}, -1},
		{[]string{"--version"}, -1},
		{[]string{"manage.py", "migrate"}, 0},
		{[]string{"-u", "-W", "error", "manage.py", "-c"}, 3},
		{[]string{"-Werror", "-X", "utf8", "a/b.py"}, 3},
		{[]string{"--check-hash-based-pycs", "never", "b.py"}, 2},
		{[]string{"-i"}, -1},
	} {
		if got := scriptIndex(c.args); got != c.want {
			t.Errorf("scriptIndex(%q) = %d, want %d", c.args, got, c.want)
		}
	}
}

func TestInGuestTakesTheLongestMount(t *testing.T) {
	mounts := []Mount{{Host: "/srv", Guest: "/work"}, {Host: "/srv/data", Guest: "/data"}}
	for _, c := range []struct {
		name, want string
		ok         bool
	}{
		{"/srv/a.py", "/work/a.py", true},
		{"/srv/data/b.py", "/data/b.py", true},
		{"/srv/database/c.py", "/work/database/c.py", true},
		{"/srvx/d.py", "", false},
		{"/etc/passwd", "", false},
	} {
		got, ok := inGuest(mounts, c.name)
		if got != c.want || ok != c.ok {
			t.Errorf("inGuest(%q) = %q, %v, want %q, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}
