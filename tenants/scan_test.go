package tenants

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScanExamples(t *testing.T) {
	found, problems := Scan("examples")
	for _, p := range problems {
		t.Error(p)
	}
	got := map[string]string{}
	for _, tenant := range found {
		got[tenant.Name] = tenant.Entry.String() + " " + tenant.Entry.Framework
	}
	for name, want := range map[string]string{
		"bare": "wsgi:application ", "bottle": "app:app bottle", "django": "mysite.wsgi:application django", "flask": "app:app flask", "notes": "app:app flask",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

func TestScanKeepsGoingAndOrders(t *testing.T) {
	root := t.TempDir()
	unpack(t, root, `-- zoo/app.py --
app = Flask(__name__)
-- ant/app.py --
app = Flask(__name__)
-- broken/wasgi.toml --
entri = "a:b"
-- empty/readme.txt --
-- Upper/app.py --
app = Flask(__name__)
-- .hidden/app.py --
app = Flask(__name__)
-- _shared/app.py --
app = Flask(__name__)
-- nothing/app.py --
x = 1
-- thief/app.py --
app = Flask(__name__)
-- thief/wasgi.toml --
paths = ["/ant", "/thief"]
-- file.py --
`)
	if err := os.Symlink("zoo", root+"/linked"); err != nil {
		t.Fatal(err)
	}
	found, problems := Scan(root)
	var names []string
	for _, tenant := range found {
		names = append(names, tenant.Name)
	}
	if diff := cmp.Diff([]string{"ant", "linked", "thief", "zoo"}, names); diff != "" {
		t.Errorf("tenants (-want +got):\n%s", diff)
	}
	var said []string
	for _, p := range problems {
		first, _, _ := strings.Cut(strings.ReplaceAll(p.Error(), root, "ROOT"), "\n")
		said = append(said, first)
	}
	want := []string{
		`Upper: "Upper" cannot be a tenant's name: use 1 to 63 of a-z, 0-9, '.', '_', '-', the first a letter or digit; rename the folder`,
		`broken: ROOT/broken/wasgi.toml:1: entri: unknown key; did you mean "entry"?`,
		`nothing: ROOT/nothing: no WSGI application found; name it in wasgi.toml with entry = "module:callable". Tried:`,
		`thief: tenants ant and thief both claim any host /ant; ant keeps it: give one of them other hosts or paths`,
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestScanWithoutAFolder(t *testing.T) {
	root := t.TempDir() + "/missing"
	found, problems := Scan(root)
	want := "missing: cannot read the folder of the tenants: open " + root + ": no such file or directory"
	if len(found) != 0 || len(problems) != 1 || problems[0].Error() != want {
		t.Errorf("%v, %v; want %s", found, problems, want)
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "shop-2.b_c": true, "0": true, strings.Repeat("a", 63): true,
		"": false, "-a": false, ".a": false, "_a": false, "A": false, "a/b": false, "é": false, "a b": false, strings.Repeat("a", 64): false,
	} {
		if got := CheckName(name) == nil; got != ok {
			t.Errorf("%q: %t, want %t", name, got, ok)
		}
	}
}

func TestTenantEnvironAndPath(t *testing.T) {
	tenant := Tenant{
		Entry:    Entry{Env: map[string]string{"DJANGO_SETTINGS_MODULE": "found", "A": "1"}, Path: []string{"src", "lib"}},
		Manifest: Manifest{Env: map[string]string{"DJANGO_SETTINGS_MODULE": "set", "B": "2"}, PythonPath: []string{"lib"}},
	}
	if diff := cmp.Diff([]string{"A=1", "B=2", "DJANGO_SETTINGS_MODULE=set"}, tenant.Environ()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"lib", "src", "."}, tenant.PythonPath()); diff != "" {
		t.Error(diff)
	}
}
