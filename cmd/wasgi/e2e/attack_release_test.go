package e2e

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// attacksOnReleases are the rows about what an application brings along, and
// about hosts that die while they make something of it.
func attacksOnReleases() []attackRow {
	return []attackRow{
		{id: 70, name: "hostile archives", safe: "refused with a sentence, nothing is unpacked", run: hostileArchives},
		{id: 71, name: "native code, pth, sitecustomize", safe: "removed, or run inside the sandbox only", run: codeThatStarts},
		{id: 72, name: "build hooks", safe: "never run", run: buildHooks},
		{id: 73, name: "kill -9 of the host", safe: "the next start serves what is there, nothing half-made", run: killedHosts},
		{id: 74, name: "full disk of the host", safe: "a clear error, the old release serves", run: fullHost},
		{id: 75, name: "damaged snapshots and releases", safe: "made again, never run", run: damagedState},
		{id: 76, name: "two hosts on one state folder", safe: "the second one is refused with a sentence", run: secondHost},
		{id: 77, name: "storm of reloads", safe: "the last state serves, a broken one never", run: reloadStorm},
	}
}

// member is a file in a wheel.
type member struct {
	name string
	mode fs.FileMode
	text string
	more int64 // zero bytes after the text
}

// zeroes never ends.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// wheel writes a wheel of the package into a folder, with more files than it
// should have.
func wheel(t *testing.T, folder, name string, more ...member) {
	t.Helper()
	info := name + "-1.0.dist-info/"
	files := append([]member{
		{name: name + ".py", text: "value = 'of " + name + "'\n"},
		{name: info + "METADATA", text: "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n"},
		{name: info + "WHEEL", text: "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
	}, more...)
	record := info + "RECORD,,\n"
	for _, f := range files {
		record += f.name + ",,\n"
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range append(files, member{name: info + "RECORD", text: record}) {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		if f.mode != 0 {
			h.SetMode(f.mode)
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.Copy(w, io.MultiReader(strings.NewReader(f.text), io.LimitReader(zeroes{}, f.more)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, folder, name+"-1.0-py3-none-any.whl", b.String())
	write(t, folder, "requirements.txt", "./"+name+"-1.0-py3-none-any.whl\n")
}

// refused adds a tenant that is not to be served.
func (g *siege) refused(name string) (folder string) {
	g.Helper()
	folder = filepath.Join(g.root, name)
	copyTree(g.T, filepath.Join("testdata", "apps", "hostile"), folder)
	return folder
}

func hostileArchives(g *siege) {
	says := map[string]string{}
	for name, c := range map[string]struct {
		member
		says string
	}{
		"slip":     {member{name: "../../../../slip.py", text: "x"}, "leads out of the folder"},
		"absolute": {member{name: "/tmp/absolute.py", text: "x"}, "leads out of the folder"},
		"link":     {member{name: "link.py", mode: fs.ModeSymlink | 0o777, text: "/etc/passwd"}, "is neither file nor folder"},
		"device":   {member{name: "device", mode: fs.ModeDevice | 0o666}, "is neither file nor folder"},
		"twice":    {member{name: "TWICE.py", text: "x"}, "is there twice"},
		"bomb":     {member{name: "bomb.bin", more: 1 << 30}, "unpacks to more than 1073741824 bytes"},
	} {
		wheel(g.T, g.refused(name), name, c.member)
		says[name] = c.says
	}
	state := g.TempDir()
	s := g.launch(launch{state: state})
	for name, text := range says {
		g.at(s, name).logged(g.T, text, 0)
		g.at(s, name).browser(g.T).get("/").status(502)
	}
	if left, err := filepath.Glob(filepath.Join(state, "releases", "*", "*", "*", "*.py")); err != nil || len(left) > 0 {
		g.Errorf("unpacked: %v, %v", left, err)
	}
	for _, file := range []string{"/tmp/absolute.py", filepath.Join(state, "slip.py"), filepath.Join(state, "releases", "slip.py")} {
		if _, err := os.Lstat(file); err == nil {
			g.Errorf("%s is there", file)
		}
	}
}

// at is a tenant that is not served.
func (g *siege) at(s *server, tenant string) site {
	return site{server: s, tenant: tenant, origin: s.site(g.T, "neighbour").origin, prefix: "/" + tenant}
}

func codeThatStarts(g *siege) {
	mark := func(name string) string {
		return "import builtins, os\nbuiltins.marks = getattr(builtins, 'marks', []) + ['" + name + "']\n" +
			"for d in '/usr/lib/python3.13/site-packages', '/app':\n    try: open(d + '/written.py', 'w').close()\n    except OSError: pass\n"
	}
	folder := g.hostile("hostile", "")
	wheel(g.T, folder, "good",
		member{name: "evil.pth", text: "import builtins; builtins.marks = ['pth']\n"}, member{name: "sub/evil.pth", text: "import nothing\n"},
		member{name: "sitecustomize.py", text: mark("dependency")}, member{name: "usercustomize.py", text: mark("user")},
		member{name: "bin/tool", mode: 0o777, text: "#!/bin/sh\n"})
	write(g.T, folder, "app.pth", "import builtins; builtins.marks = ['app pth']\n")
	write(g.T, folder, "usercustomize.py", mark("user"))
	native := g.refused("native")
	wheel(g.T, native, "native", member{name: "native_c.cpython-313-x86_64-linux-gnu.so", text: "\x7fELF"})
	state := g.TempDir()
	s := g.launch(launch{state: state})
	s.site(g.T, "hostile").attack(g.T, `
import builtins, good
answer = f"{good.value}; {getattr(builtins, 'marks', [])}"
`).status(200).text("of good; ['dependency']")
	g.at(s, "native").logged(g.T, "packages that need compiled code", 0)
	sites, err := filepath.Glob(filepath.Join(state, "releases", "hostile", "*", "site"))
	if err != nil || len(sites) != 1 {
		g.Fatal(sites, err)
	}
	for _, name := range []string{"written.py", "evil.pth", "bin"} {
		if _, err := os.Lstat(filepath.Join(sites[0], name)); err == nil {
			g.Errorf("the release has %s", name)
		}
	}
	if compiled, err := filepath.Glob(filepath.Join(sites[0], "__pycache__", "good.*.pyc")); err != nil || len(compiled) != 1 {
		g.Errorf("byte code of the release: %v, %v", compiled, err)
	}
	if _, err := os.Lstat(filepath.Join(folder, "written.py")); err == nil {
		g.Error("the bundle was written to")
	}
}

func buildHooks(g *siege) {
	marker := filepath.Join(g.TempDir(), "ran")
	setup := fmt.Sprintf("open(%q, 'w').close()\n", marker)
	refusals := map[string][2]string{
		"folder": {"./package\n", "would have to be built"}, "editable": {"-e ./package\n", "would have to be built"},
		"source": {"./package.tar.gz\n", "only wheels are installed"}, "address": {"package @ file:///tmp/package\n", "names an address"},
		"repository": {"git+https://example.invalid/package\n", "names an address"}, "include": {"-r ../../etc/passwd\n", "path escapes from parent"},
		"option": {"--no-binary :all:\n--config-settings x=y\n", "option --config-settings is not understood"},
	}
	for name, c := range refusals {
		folder := g.refused(name)
		write(g.T, folder, "package/setup.py", setup)
		write(g.T, folder, "package/pyproject.toml", "[build-system]\nrequires = []\nbuild-backend = \"setup\"\nbackend-path = [\".\"]\n")
		write(g.T, folder, "package.tar.gz", "x")
		write(g.T, folder, "requirements.txt", c[0])
	}
	self := g.hostile("self", "") // its own setup.py is a file like others
	write(g.T, self, "setup.py", setup)
	write(g.T, self, "requirements.txt", ".\n")
	s := g.serve()
	for name, c := range refusals {
		g.at(s, name).logged(g.T, c[1], 0)
		g.at(s, name).browser(g.T).get("/").status(502)
	}
	s.site(g.T, "self").well(g.T)
	if _, err := os.Lstat(marker); err == nil {
		g.Error("setup.py has run")
	}
}

// killedHosts kills hosts at any point of their start, of a preparation and of
// a write of a snapshot. The last one must serve what is there.
func killedHosts(g *siege) {
	rounds := 6
	if allAttacks() {
		rounds = 100
	}
	state := g.TempDir()
	folder := g.refused("victim")
	wheel(g.T, folder, "good")
	source := read(g.T, filepath.Join(folder, "wsgi.py"))
	for round := range rounds {
		write(g.T, folder, "wsgi.py", fmt.Sprintf("import good\nversion = %d\n%s", round, source))
		s := g.world.start(g.T, launch{root: g.root, state: state})
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
		s.kill(g.T)
	}
	g.names = append(g.names, "victim")
	victim := g.launch(launch{state: state}).site(g.T, "victim")
	victim.attack(g.T, "import wsgi, good; answer = f'{wsgi.version} {good.value}'").status(200).text(fmt.Sprintf("%d of good", rounds-1))
	left, err := filepath.Glob(filepath.Join(filepath.Dir(snapshotOf(state, "victim")), ".*"))
	if err != nil || len(left) > 0 {
		g.Errorf("unfinished snapshots: %v, %v", left, err)
	}
	g.note("%d kills", rounds)
}

// start is serve for a host that is to end by force or by itself.
func (w world) start(t *testing.T, l launch) *server {
	t.Helper()
	s := &server{out: newTranscript(), log: newTranscript(), done: make(chan struct{}), seen: map[string]int{}, urls: map[string]string{}}
	s.cmd = exec.Command(w.binary, l.args()...)
	s.cmd.Dir, s.cmd.Env = t.TempDir(), environment(w.cache, l.state)
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.reap() // ends with the process
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); <-s.done })
	return s
}

// kill ends the process at once.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	<-s.done
}

func fullHost(g *siege) {
	state := g.TempDir()
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "size=6m,mode=0700"); err != nil {
		g.Skipf("a small file system cannot be mounted here: %v", err)
	}
	g.Cleanup(func() {
		if err := syscall.Unmount(state, syscall.MNT_DETACH); err != nil {
			g.Error(err)
		}
	})
	folder := g.hostile("hostile", "")
	file := filepath.Join(state, "access.log")
	s := g.launch(launch{state: state, flags: []string{"--access-log", "combined", "--access-log-file", file}})
	hostile := s.site(g.T, "hostile")
	// The snapshot does not fit: it is kept in memory, and that is said.
	s.logs(g.T, `level=WARN msg="the image was not stored.*no space left on device`, 0)
	hostile.attack(g.T, tried+`
def fill():
    with open("/data/fill", "wb", buffering=0) as f:
        while True: f.write(bytes(4096))
say("fill", fill)
`).status(200).text("fill: ENOSPC\n")
	s.logs(g.T, `level=ERROR msg="access log cannot be written".*no space left on device`, 0)
	from := s.log.size()
	wheel(g.T, folder, "good", member{name: "big.py", text: "x = '" + fmt.Sprint(rand.Perm(300_000)) + "'\n"})
	hostile.logged(g.T, "no space left on device", from)
	hostile.well(g.T) // the old release
	if err := os.Remove(filepath.Join(state, "data", "hostile", "fill")); err != nil {
		g.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", state, "tmpfs", syscall.MS_REMOUNT, "size=200m"); err != nil {
		g.Fatal(err)
	}
	s.ready(g.T, "hostile") // it was tried again
	hostile.attack(g.T, "import good; answer = good.value").status(200).text("of good")
}

func damagedState(g *siege) {
	state := g.TempDir()
	one, two := g.hostile("one", ""), g.hostile("two", "")
	for name, folder := range map[string]string{"one": one, "two": two} {
		wheel(g.T, folder, "good")
		write(g.T, folder, "wsgi.py", "import good\nname = '"+name+"'\n"+read(g.T, filepath.Join(folder, "wsgi.py")))
	}
	snapshot, another := snapshotOf(state, "one"), snapshotOf(state, "two")
	replace := func(text string) func() {
		return func() { write(g.T, filepath.Dir(snapshot), filepath.Base(snapshot), text) }
	}
	copyTree(g.T, filepath.Join("testdata", "apps", "neighbour"), filepath.Join(g.root, "neighbour"))
	whole := ""
	for _, damage := range []struct {
		name string
		do   func()
		says string
	}{
		{"none, the first start", func() {}, ""},
		{"none", func() {}, ""},
		{"a bit", func() { flip(g.T, snapshot, whole, len(whole)/2) }, "it is damaged|it has"},
		{"the magic", func() { flip(g.T, snapshot, whole, 3) }, "it is no image"},
		{"the version", func() { flip(g.T, snapshot, whole, 8) }, "it has another format version"},
		{"the key", func() { flip(g.T, snapshot, whole, 20) }, "has changed"},
		{"the header's zeros", func() { flip(g.T, snapshot, whole, 2000) }, "its header is damaged"},
		{"the page map", func() { flip(g.T, snapshot, whole, 4100) }, "it is damaged"},
		{"cut short", func() { replace(whole[:len(whole)-4096])() }, "instead of"},
		{"empty", replace(""), "it is cut short"},
		{"another tenant's", func() { replace(read(g.T, another))() }, "has changed"},
		{"open to others", func() { chmod(g.T, snapshot, 0o644) }, "others have access to it"},
		{"a link", func() { relink(g.T, snapshot, another) }, "too many levels of symbolic links"},
		{"a folder", func() { refolder(g.T, snapshot) }, "it is no regular file"},
	} {
		damage.do()
		s := g.world.serve(g.T, launch{root: g.root, state: state}, "one", "two", "neighbour")
		g.neighbour = visit(s.site(g.T, "neighbour").browser(g.T))
		s.site(g.T, "one").attack(g.T, "import wsgi, good; answer = f'{wsgi.name} {good.value}'").status(200).text("one of good")
		if whole != "" && damage.says != "" {
			s.logs(g.T, `msg="the image is built" tenant=one .*reason=.*(`+damage.says+`)`, 0)
		} else if whole != "" && strings.Contains(s.log.String(), "the image is built") {
			g.Error("a snapshot that is whole was made again")
		}
		g.neighbour.leave()
		if err := s.terminate(g.T); err != nil {
			g.Error(err)
		}
		if whole == "" {
			whole = read(g.T, snapshot)
		}
	}
	g.damagedRelease(state)
}

// damagedRelease breaks the folder of the dependencies.
func (g *siege) damagedRelease(state string) {
	releases, err := filepath.Glob(filepath.Join(state, "releases", "one", "*"))
	if err != nil || len(releases) != 1 {
		g.Fatal(releases, err)
	}
	for _, damage := range []func(){
		func() { write(g.T, releases[0], "release.json", "{") },
		func() { write(g.T, releases[0], "release.json", "") },
		func() { must(g.T, os.RemoveAll(filepath.Join(releases[0], "site"))) },
	} {
		damage()
		must(g.T, os.RemoveAll(filepath.Join(state, "snapshots")))
		s := g.world.serve(g.T, launch{root: g.root, state: state}, "one")
		s.site(g.T, "one").attack(g.T, "import wsgi, good; answer = f'{wsgi.name} {good.value}'").status(200).text("one of good")
		if err := s.terminate(g.T); err != nil {
			g.Error(err)
		}
	}
}

// flip writes the file anew with one bit changed, which keeps its holes out of
// the question.
func flip(t *testing.T, file, whole string, at int) {
	t.Helper()
	data := []byte(whole)
	data[at] ^= 1
	must(t, os.RemoveAll(file))
	must(t, os.WriteFile(file, data, 0o600))
}

func chmod(t *testing.T, file string, mode fs.FileMode) {
	t.Helper()
	must(t, os.Chmod(file, mode))
}

func relink(t *testing.T, file, target string) {
	t.Helper()
	must(t, os.Remove(file))
	must(t, os.Symlink(target, file))
}

func refolder(t *testing.T, file string) {
	t.Helper()
	must(t, os.RemoveAll(file))
	must(t, os.Mkdir(file, 0o700))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func secondHost(g *siege) {
	state := g.TempDir()
	g.hostile("hostile", "")
	first := g.world.start(g.T, launch{root: g.root, state: state})
	first.ready(g.T, "hostile")
	second := g.world.start(g.T, launch{root: g.root, state: state})
	second.log.wait(g.T, regexp.MustCompile(fmt.Sprintf(
		`the state folder \S+ is in use by another wasgi serve \(process %d\): stop that one, or give this one a folder of its own \(state_dir\)`, first.cmd.Process.Pid)), 0)
	<-second.done
	if second.err == nil {
		g.Error("the second one ended with 0")
	}
	first.site(g.T, "hostile").well(g.T)
	// A command beside the server is welcome.
	g.world.run(g.T, program{args: []string{"python", "--app", filepath.Join(g.root, "hostile"), "--state-dir", state, "-c", "print('beside')"}}).
		exited(0).printed("beside\n")
	first.kill(g.T) // the kernel ends the claim
	g.launch(launch{state: state}).site(g.T, "hostile").well(g.T)
}

// reloadStorm writes a thousand times, in pieces, with broken states between.
func reloadStorm(g *siege) {
	folder := g.hostile("hostile", "")
	s := g.serve()
	hostile := s.site(g.T, "hostile")
	source := read(g.T, filepath.Join(folder, "wsgi.py"))
	end := make(chan struct{})
	go func() {
		defer close(end)
		for n := range 1000 {
			text := fmt.Sprintf("version = %d\n%s", n, source)
			if n%3 > 0 {
				text = text[:len(text)*(n%100)/100] + "def broken("
			}
			if err := os.WriteFile(filepath.Join(folder, "wsgi.py"), []byte(text), 0o600); err != nil {
				g.Error(err)
			}
			if n%100 == 0 {
				time.Sleep(300 * time.Millisecond) // quiet enough to be loaded
			}
		}
	}()
	b := hostile.browser(g.T)
	for storm := true; storm; {
		b.get("/").status(200).text("well\n")
		select {
		case <-end:
			storm = false
		default:
		}
	}
	hostile.well(g.T)
	from := s.log.size()
	write(g.T, folder, "wsgi.py", "version = 'last'\n"+source)
	s.logs(g.T, `msg=serving tenant=hostile`, from)
	hostile.attack(g.T, "import wsgi; answer = wsgi.version").status(200).text("last")
	g.note("%d releases were made of 1000 writes", strings.Count(s.out.String(), "\nhostile "))
}
