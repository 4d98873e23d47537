package tenants

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

// TestMain makes the test binary a fake uv or python3 when it is called by
// that name.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "uv":
		os.Exit(fakeInstaller(os.Args[1:], "uv 9.9"))
	case "python3":
		os.Exit(fakePython(os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

// fakePython has pip when FAKE_PIP is set, and uv as a module never.
func fakePython(args []string) int {
	if real := os.Getenv("FAKE_EXECUTABLE"); len(args) == 2 && args[0] == "-c" && real != "" {
		fmt.Println(real)
		return 0
	}
	if len(args) < 2 || args[1] != "pip" || os.Getenv("FAKE_PIP") == "" {
		return 1
	}
	if args[2] == "config" {
		fmt.Println("global.index-url='https://mirror.example/simple'")
		return 0
	}
	return fakeInstaller(args[2:], "pip 9.9 from somewhere")
}

// fakeInstaller writes what it was asked to FAKE_LOG and unpacks FAKE_SITE into
// the target; it fails with the words of FAKE_ERROR.
func fakeInstaller(args []string, version string) int {
	if slices.Contains(args, "--version") {
		fmt.Println(version)
		return 0
	}
	log, err := os.OpenFile(os.Getenv("FAKE_LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 3
	}
	requirements, _ := os.ReadFile("requirements.txt")
	constraints, _ := os.ReadFile("constraints.txt")
	fmt.Fprintf(log, "%s\nindex %q\n%s%s", strings.Join(args, " "), os.Getenv("UV_DEFAULT_INDEX"), requirements, constraints)
	if text := os.Getenv("FAKE_ERROR"); text != "" {
		fmt.Fprint(os.Stderr, text)
		return 1
	}
	if target := slices.Index(args, "--target"); target >= 0 {
		if err := os.CopyFS(args[target+1], os.DirFS(os.Getenv("FAKE_SITE"))); err != nil && !errors.Is(err, fs.ErrExist) {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	fmt.Println("Installed 1 package")
	return 0
}

// fakes puts the fakes in PATH and nothing else.
func fakes(t *testing.T, names ...string) (log, site string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range names {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	log, site = filepath.Join(t.TempDir(), "log"), t.TempDir()
	for name, value := range map[string]string{
		"PATH": bin, "FAKE_LOG": log, "FAKE_SITE": site, "HOME": t.TempDir(), "XDG_CONFIG_HOME": "",
		"UV_DEFAULT_INDEX": "", "UV_INDEX_URL": "", "UV_INDEX": "", "UV_EXTRA_INDEX_URL": "", "UV_FIND_LINKS": "", "UV_CONFIG_FILE": "",
	} {
		t.Setenv(name, value)
	}
	return log, site
}

// TestShimsAreNotCalled finds the interpreter behind a version manager's shim.
func TestShimsAreNotCalled(t *testing.T) {
	fakes(t, "python3")
	t.Setenv("FAKE_PIP", "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	real := filepath.Join(t.TempDir(), "python3")
	if err := os.Symlink(self, real); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"", "python3", real} {
		t.Setenv("FAKE_EXECUTABLE", says)
		i, err := findInstaller(t.Context(), PrepareOptions{Installer: "pip"})
		if err != nil {
			t.Fatal(err)
		}
		if got := i.command[0] == real; got != (says == real) {
			t.Errorf("Python says %q of itself, and pip is called by %q", says, i.command)
		}
	}
}

// wheel writes an installed distribution into a site folder.
func installed(t *testing.T, site, name, version string, requires string, files ...string) {
	t.Helper()
	info := strings.ReplaceAll(name, "-", "_") + "-" + version + ".dist-info/"
	record := info + "METADATA,,\n" + info + "RECORD,,\n"
	for _, f := range files {
		write(t, filepath.Join(site, f), "content of "+f)
		record += f + ",sha256=x,1\n"
	}
	write(t, filepath.Join(site, info+"METADATA"), "Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n"+requires+"\nRequires-Dist: this is text\n")
	write(t, filepath.Join(site, info+"RECORD"), record)
}

// tree lists the files below a folder.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, err = filepath.Rel(dir, name)
			out = append(out, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func application(t *testing.T, requirements string) Tenant {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/requirements.txt", requirements)
	return Tenant{Name: "shop", Dir: dir}
}

func TestPrepareCleansTheSite(t *testing.T) {
	log, site := fakes(t, "uv")
	installed(t, site, "MarkupSafe", "3.0", "", "markupsafe/__init__.py", "markupsafe/_native.py", "markupsafe/_speedups.cpython-313-x86_64-linux-gnu.so")
	installed(t, site, "compiled", "1.0", "", "compiled/__init__.py", "compiled/core.py", "compiled/core.cpython-313-x86_64-linux-gnu.so", "0123__mypyc.abi3.so")
	installed(t, site, "greenlet", "3.0", "", "greenlet/__init__.py", "greenlet/_greenlet.so", "../../etc/outside")
	write(t, site+"/bin/script", "")
	write(t, site+"/evil.pth", "import os")
	if err := os.Symlink("/etc/passwd", site+"/markupsafe/link.py"); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "state")
	app := application(t, "MarkupSafe\nuwsgi\n")
	var compiled []string
	r, err := Prepare(t.Context(), app, PrepareOptions{State: outside, Compile: func(_ context.Context, dir string) error {
		compiled = tree(t, dir)
		return os.WriteFile(filepath.Join(dir, "compiled.pyc"), nil, 0o600)
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantTree := []string{
		"MarkupSafe-3.0.dist-info/METADATA", "MarkupSafe-3.0.dist-info/RECORD",
		"compiled/__init__.py", "compiled/core.py", "compiled-1.0.dist-info/METADATA", "compiled-1.0.dist-info/RECORD",
		"markupsafe/__init__.py", "markupsafe/_native.py",
	}
	slices.Sort(wantTree)
	slices.Sort(compiled)
	if diff := cmp.Diff(wantTree, compiled); diff != "" {
		t.Errorf("site (-want +got):\n%s", diff)
	}
	want := Release{
		Tenant: "shop", Digest: r.Digest, Dir: filepath.Join(outside, "releases/shop", r.Digest),
		Site:   filepath.Join(outside, "releases/shop", r.Digest, "site"),
		Inputs: []string{"requirements.txt"}, Requirements: []string{"MarkupSafe"}, Installer: "uv 9.9",
		Packages: []Package{{"compiled", "1.0"}, {"markupsafe", "3.0"}},
		Stripped: []Stripped{
			{"compiled", "0123__mypyc.abi3.so"}, {"compiled", "compiled/core.cpython-313-x86_64-linux-gnu.so"},
			{"markupsafe", "markupsafe/_speedups.cpython-313-x86_64-linux-gnu.so"},
		},
		Skipped: []Skipped{{"uwsgi", wasgiServes}, {"greenlet==3.0", "needed by SQLAlchemy's asyncio extension only; greenlets cannot run here"}},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("release (-want +got):\n%s", diff)
	}
	stage := filepath.Join(outside, "releases/shop")
	if diff := cmp.Diff([]string{r.Digest + "/release.json"}, slices.DeleteFunc(tree(t, stage), func(n string) bool { return strings.Contains(n, "/site/") })); diff != "" {
		t.Errorf("what is left beside the site (-want +got):\n%s", diff)
	}
	said, _ := os.ReadFile(log)
	wantSaid := "pip install --target SITE --python-version 3.13 --python-platform x86_64-manylinux_2_28 --only-binary :all: " +
		"--no-compile-bytecode --link-mode copy -r requirements.txt\nindex \"\"\nMarkupSafe\n"
	_, rest, _ := strings.Cut(string(said), "--target ")
	target, _, _ := strings.Cut(rest, " ")
	if diff := cmp.Diff(wantSaid, strings.ReplaceAll(string(said), target, "SITE")); diff != "" {
		t.Errorf("call of the installer (-want +got):\n%s", diff)
	}
}

func TestPrepareReusesARelease(t *testing.T) {
	log, site := fakes(t, "uv")
	installed(t, site, "flask", "3.1", "", "flask.py")
	state := t.TempDir()
	app := application(t, "flask\n")
	prepare := func(o PrepareOptions) Release {
		t.Helper()
		o.State = state
		r, err := Prepare(t.Context(), app, o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	calls := func() int {
		data, _ := os.ReadFile(log)
		return strings.Count(string(data), "pip install")
	}
	first := prepare(PrepareOptions{})
	if first.Reused || calls() != 1 {
		t.Errorf("first: reused %t, %d calls", first.Reused, calls())
	}
	t.Setenv("PATH", "")
	second := prepare(PrepareOptions{})
	if !second.Reused || calls() != 1 {
		t.Errorf("second: reused %t, %d calls", second.Reused, calls())
	}
	second.Reused = false
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
	log, site = fakes(t, "uv")
	installed(t, site, "flask", "3.2", "", "flask.py")
	if r := prepare(PrepareOptions{Refresh: true}); r.Reused || r.Digest != first.Digest || r.Packages[0].Version != "3.2" {
		t.Errorf("refreshed: %+v", r)
	}
	if err := os.Remove(filepath.Join(first.Dir, releaseFile)); err != nil {
		t.Fatal(err)
	}
	if r := prepare(PrepareOptions{}); r.Reused || calls() != 2 {
		t.Errorf("after damage: reused %t, %d calls", r.Reused, calls())
	}
	write(t, app.Dir+"/requirements.txt", "flask>=3\n")
	if r := prepare(PrepareOptions{}); r.Digest == first.Digest {
		t.Error("other requirements have the same digest")
	}
}

func TestPrepareWithoutRequirements(t *testing.T) {
	fakes(t)
	r, err := Prepare(t.Context(), Tenant{Name: "bare", Dir: t.TempDir()}, PrepareOptions{State: t.TempDir()})
	if err != nil || r.Installer != "" || len(tree(t, r.Site)) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPrepareRefusesCompiledPackages(t *testing.T) {
	log, site := fakes(t, "uv")
	installed(t, site, "pydantic-core", "2.0", "", "pydantic_core/_pydantic_core.cpython-313-x86_64-linux-gnu.so", "pydantic_core/other.so")
	installed(t, site, "unheard-of", "1.0", "", "unheard_of/_c.abi3.so")
	write(t, site+"/pydantic_core.libs/libx.so.3.1", "")
	_, err := Prepare(t.Context(), application(t, "pydantic\n"), PrepareOptions{State: t.TempDir()})
	var refused *NativeError
	if !errors.As(err, &refused) {
		t.Fatalf("%T %v", err, err)
	}
	want := []Native{
		{"pydantic-core", "pydantic_core/_pydantic_core.cpython-313-x86_64-linux-gnu.so", "use pydantic below version 2, which is pure Python"},
		{"unheard-of", "unheard_of/_c.abi3.so", ""},
	}
	if diff := cmp.Diff(want, refused.Packages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	_, err = Prepare(t.Context(), application(t, "lxml\n"), PrepareOptions{State: t.TempDir()})
	text := "shop: packages that need compiled code, which the guest cannot load:\n  lxml: use xml.etree.ElementTree for XML, html5lib for HTML"
	if err == nil || err.Error() != text {
		t.Errorf("%v, want %s", err, text)
	}
	if _, err := os.Stat(log); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a package that is known to be impossible was installed first")
	}
}

func TestPrepareAddsTimeZonesAsOnWindows(t *testing.T) {
	log, site := fakes(t, "uv")
	installed(t, site, "Django", "5.2", "Requires-Dist: tzdata; sys_platform == \"win32\"", "django/__init__.py")
	if _, err := Prepare(t.Context(), application(t, "django\n"), PrepareOptions{State: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	said, _ := os.ReadFile(log)
	if n := strings.Count(string(said), "--link-mode copy tzdata\n"); n != 1 {
		t.Errorf("tzdata was asked for %d times:\n%s", n, said)
	}
}

func TestPrepareWithPip(t *testing.T) {
	log, site := fakes(t, "python3")
	t.Setenv("FAKE_PIP", "1")
	installed(t, site, "flask", "3.1", "", "flask.py")
	app := application(t, "flask\n-c pins.txt\n")
	write(t, app.Dir+"/pins.txt", "flask==3.1\n")
	r, err := Prepare(t.Context(), app, PrepareOptions{State: t.TempDir()})
	if err != nil || r.Installer != "pip 9.9" {
		t.Fatalf("%+v, %v", r, err)
	}
	said, _ := os.ReadFile(log)
	for _, part := range []string{"--only-binary :all: --no-compile", "--abi cp313 --abi abi3 --abi none", "--platform manylinux_2_28_x86_64",
		"-r requirements.txt -c constraints.txt\n", "\nflask\nflask==3.1\n"} {
		if !strings.Contains(string(said), part) {
			t.Errorf("the call lacks %q:\n%s", part, said)
		}
	}
}

func TestUVUsesTheIndexOfPip(t *testing.T) {
	log, site := fakes(t, "uv", "python3")
	t.Setenv("FAKE_PIP", "1")
	installed(t, site, "flask", "3.1", "", "flask.py")
	for own, want := range map[string]string{"": "https://mirror.example/simple", "https://own.example/simple": "https://own.example/simple"} {
		t.Setenv("UV_DEFAULT_INDEX", own)
		if _, err := Prepare(t.Context(), application(t, "flask\n"), PrepareOptions{State: t.TempDir()}); err != nil {
			t.Fatal(err)
		}
		said, _ := os.ReadFile(log)
		if !strings.Contains(string(said), fmt.Sprintf("\nindex %q\n", want)) {
			t.Errorf("own index %q: want %q in\n%s", own, want, said)
		}
		_ = os.Remove(log)
	}
}

func TestPrepareWithoutAnInstaller(t *testing.T) {
	fakes(t)
	_, err := Prepare(t.Context(), application(t, "flask\n"), PrepareOptions{State: t.TempDir()})
	want := "shop: dependencies must be installed, and there is no uv and no pip: install uv (python3 -m pip install uv), or Python with pip"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestPrepareShortensErrors(t *testing.T) {
	fakes(t, "uv")
	for said, want := range map[string]string{
		"Using CPython 3.11\nerror: No solution found when resolving dependencies\ncause: Because a has no usable wheels\nAnd more\n\nhint: Wheels are required": `shop: uv 9.9 cannot install the dependencies:
  error: No solution found when resolving dependencies
  cause: Because a has no usable wheels
  And more
Only wheels for CPython 3.13 (or any Python) are installed: check the name and version; a package without wheels must be replaced, or its wheel put into the application's folder.`,
		"error: Request failed\ncause: Failed to fetch: x": `shop: uv 9.9 cannot install the dependencies:
  error: Request failed
  cause: Failed to fetch: x
The package index cannot be reached: check the network and the machine's pip or uv configuration.`,
		"Collecting a\nWARNING: Retrying (Retry(total=4)) after NewConnectionError\nERROR: No matching distribution found for a": `shop: uv 9.9 cannot install the dependencies:
  ERROR: No matching distribution found for a
The package index cannot be reached: check the network and the machine's pip or uv configuration.`,
		"one\ntwo\nthree\nfour": `shop: uv 9.9 cannot install the dependencies:
  two
  three
  four
Try the same requirements with ` + "`pip download --only-binary :all:`" + ` to see more.`,
		"": "",
	} {
		t.Setenv("FAKE_ERROR", said)
		state := t.TempDir()
		_, err := Prepare(t.Context(), application(t, "a\n"), PrepareOptions{State: state})
		if said == "" {
			continue // nothing said: the fake succeeds
		}
		var failed *InstallError
		if !errors.As(err, &failed) || err.Error() != want {
			t.Errorf("(-want +got):\n%s", cmp.Diff(want, fmt.Sprint(err)))
		}
		if left := tree(t, state); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestPrepareEndsWithItsContext(t *testing.T) {
	fakes(t, "uv")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	_, err := Prepare(ctx, application(t, "a\n"), PrepareOptions{State: t.TempDir(), Progress: func(step, _ string) {
		if step == "install" {
			cancel(enough)
		}
	}})
	if !errors.Is(err, enough) {
		t.Errorf("%v, want the cause", err)
	}
}

func TestPrepareFailsWhenCompilingFails(t *testing.T) {
	fakes(t, "uv")
	state := t.TempDir()
	_, err := Prepare(t.Context(), application(t, "a\n"), PrepareOptions{State: state,
		Compile: func(context.Context, string) error { return errors.New("no memory") }})
	if want := "shop: compiling the dependencies to byte code: no memory"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if left := tree(t, state); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestPrepareCompilesNothing where nothing is installed: it would boot an
// interpreter for that.
func TestPrepareCompilesNothing(t *testing.T) {
	_, err := Prepare(t.Context(), Tenant{Name: "shop", Dir: t.TempDir()}, PrepareOptions{State: t.TempDir(),
		Compile: func(context.Context, string) error { return errors.New("compiled") }})
	if err != nil {
		t.Error(err)
	}
}

// TestPrepareForReal installs the application's own wheel with the installers
// of this machine. It needs no network.
func TestPrepareForReal(t *testing.T) {
	for _, installer := range []string{"uv", "pip"} {
		t.Run(installer, func(t *testing.T) {
			if exec.Command("python3", "-m", installer, "--version").Run() != nil {
				t.Skipf("python3 -m %s is not installed; the other installer and the fakes cover this path", installer)
			}
			app := application(t, "./wheels/markupsafe-99.0-cp313-cp313-manylinux_2_17_x86_64.whl\n")
			makeWheel(t, app.Dir+"/wheels/markupsafe-99.0-cp313-cp313-manylinux_2_17_x86_64.whl", "markupsafe", "99.0", "cp313-cp313-manylinux_2_17_x86_64")
			r, err := Prepare(t.Context(), app, PrepareOptions{State: t.TempDir(), Installer: installer})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]Package{{"markupsafe", "99.0"}}, r.Packages); diff != "" {
				t.Errorf("packages (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]Stripped{{"markupsafe", "markupsafe/_speedups.so"}}, r.Stripped); diff != "" {
				t.Errorf("stripped (-want +got):\n%s", diff)
			}
			files := slices.DeleteFunc(tree(t, r.Site), func(n string) bool { return strings.Contains(n, ".dist-info/") })
			if diff := cmp.Diff([]string{"markupsafe/__init__.py"}, files); diff != "" {
				t.Errorf("site (-want +got):\n%s", diff)
			}
		})
	}
}

func makeWheel(t *testing.T, file, name, version, tag string) {
	t.Helper()
	write(t, file, "")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	info := name + "-" + version + ".dist-info/"
	for _, part := range []struct{ name, text string }{
		{name + "/__init__.py", "x = 1\n"},
		{name + "/_speedups.so", "\x7fELF"},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: " + tag + "\n"},
		{info + "RECORD", name + "/__init__.py,,\n" + name + "/_speedups.so,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n"},
	} {
		w, err := z.Create(part.name)
		if err == nil {
			_, err = w.Write([]byte(part.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestUVSettingsFromPip(t *testing.T) {
	here := t.TempDir()
	t.Setenv("SSL_CERT_FILE", "")
	out := strings.Join([]string{
		`global.index-url='https://global.example/simple'`, `install.index-url="https://install.example/simple"`,
		`:env:.extra-index-url='https://a.example https://b.example'`, `global.extra-index-url='https://old.example'`,
		`global.find-links='\n` + here + `\n/not/there\nhttps://links.example/'`, `global.cert='/etc/ca.crt'`, `global.no-index='false'`,
		`global.trusted-host='a.example'`, `global.timeout='180'`, `nonsense`, `freeze.timeout='1'`,
	}, "\n")
	env, args := uvSettings(parsePipConfig(out))
	wantEnv := []string{"UV_DEFAULT_INDEX=https://install.example/simple", "UV_INDEX=https://a.example https://b.example",
		"UV_INSECURE_HOST=a.example", "UV_HTTP_TIMEOUT=180", "SSL_CERT_FILE=/etc/ca.crt"}
	if diff := cmp.Diff(wantEnv, env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"--find-links", here, "--find-links", "https://links.example/"}, args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
}

// TestHint: isolation fresh without a warm-up, and nothing else, has one.
func TestHint(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "isolation = \"fresh\"\n": true, "isolation = \"reuse\"\n": false,
		"isolation = \"fresh\"\n[warmup]\npaths = [\"/\"]\n": false,
	} {
		dir := t.TempDir()
		write(t, dir+"/wasgi.toml", text)
		m, err := LoadManifest(dir)
		if got := m.Hint() != ""; err != nil || got != want {
			t.Errorf("%q: a hint %v, want %v (%v)", text, got, want, err)
		}
	}
}

func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	unpack(t, dir, "-- app.py --\nfrom flask import Flask\napp = Flask(__name__)\n-- requirements.txt --\nflask\nmarkupsafe\nnumpy\nuwsgi\n")
	d := Doctor(dir)
	if d.OK() || d.Entry.String() != "app:app" || d.ManifestErr != nil || d.EntryErr != nil || d.RequirementsErr != nil {
		t.Errorf("%+v", d)
	}
	if diff := cmp.Diff([]Native{{Name: "numpy", Advice: useAService}}, d.Impossible); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"markupsafe"}, d.Slower); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Skipped{{"uwsgi", wasgiServes}}, d.Skipped); diff != "" {
		t.Error(diff)
	}
	write(t, dir+"/requirements.txt", "flask\n")
	if err := os.Symlink("/", dir+"/lib"); err != nil {
		t.Fatal(err)
	}
	d = Doctor(dir)
	if diff := cmp.Diff([]string{"lib → /"}, d.Outside); diff != "" || !d.OK() {
		t.Errorf("%s %+v", diff, d)
	}
}
