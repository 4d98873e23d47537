package e2e

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// attacksOnFiles are the rows that try to leave the folders of a tenant, or to
// take more of the disk than it may have.
func attacksOnFiles() []attackRow {
	return []attackRow{
		{id: 23, name: "paths that lead out", safe: "no name outside is found", run: pathsThatLeadOut},
		{id: 24, name: "symbolic links", safe: "none can be made; the operator's are followed inside only", run: symbolicLinks},
		{id: 25, name: "hard links", safe: "EPERM", run: hardLinks},
		{id: 26, name: "roots and other mounts", safe: "EBUSY, EXDEV, EROFS", run: rootsAndMounts},
		{id: 27, name: "folder and link swapped while they are opened", safe: "nothing outside is read", long: true, run: swappedForLinks},
		{id: 28, name: "fifo, socket, device", safe: "EACCES at once; none can be made", run: specialFiles},
		{id: 29, name: "full disk", safe: "ENOSPC at the quota, the books are right", run: fullDisk},
		{id: 30, name: "open files", safe: "EMFILE at the cap; the host keeps nothing of an instance that is gone", run: openFiles},
		{id: 31, name: "what is there of the host", safe: "environment, arguments and files are the tenant's own", run: nothingOfTheHost},
		{id: 32, name: "writing into the bundle", safe: "EROFS; /tmp is gone with the instance", run: writingIntoTheBundle},
	}
}

// tried is Python that says what became of a call: ok, the number of its
// error by name, or another exception.
const tried = `
import errno, os
def tried(f, *a, **k):
    try:
        f(*a, **k)
        return "ok"
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e.errno))
    except Exception as e:
        return type(e).__name__
said = []
def say(what, f, *a, **k):
    said.append(f"{what}: {tried(f, *a, **k)}")
    globals()["answer"] = "\n".join(said) + "\n"
`

func pathsThatLeadOut(g *siege) {
	write(g.T, g.root, ".secret", "the secret of the host")
	g.hostile("hostile", "")
	hostile := g.serve().site(g.T, "hostile")
	// What rises is looked for in the guest's own tree, where "/.." is "/".
	want := map[string]string{
		"../.secret": "ENOENT", "../../.secret": "ENOENT", "/../.secret": "ENOENT", "/app/../../.secret": "ENOENT", "/data/../.secret": "ENOENT",
		filepath.Join(g.root, ".secret"): "ENOENT", "//app//..//..//.secret": "ENOENT", "./../app/../.secret": "ENOENT",
		"/etc/passwd": "ENOENT", "//etc/passwd": "ENOENT", "/etc/passwd/": "ENOENT", "../../../../etc/passwd": "ENOENT",
		"/proc/self/environ": "ENOENT", "/proc/self/root/etc/passwd": "ENOENT", "/dev/mem": "ENOENT", "/sys/kernel": "ENOENT",
		"/app/wsgi.py/": "ENOTDIR", "/app/wsgi.py/.": "ENOTDIR", "/app/wsgi.py/x": "ENOTDIR", "/app/WSGI.PY": "ENOENT",
		"/app/%2e%2e/.secret": "ENOENT", "/app/..%2f.secret": "ENOENT", "/app/\uff0e\uff0e/.secret": "ENOENT", `/app/..\.secret`: "ENOENT",
		"/data/" + strings.Repeat("n", 256): "ENAMETOOLONG", "/data/" + strings.Repeat("x/", 2100): "ENAMETOOLONG",
		"/app/wsgi.py": "ok", "/app/x/../wsgi.py": "ok", "/app/../app/wsgi.py": "ok", "/../../app/wsgi.py": "ok",
	}
	var code, lines strings.Builder
	code.WriteString(tried)
	for path, answer := range want {
		for _, call := range []string{"open", "os.stat"} {
			fmt.Fprintf(&code, "say(%q, %s, %q)\n", call+" "+path, call, path)
			fmt.Fprintf(&lines, "%s %s: %s\n", call, path, answer)
		}
	}
	code.WriteString(`say("NUL", open, "/app/wsgi.py\0")` + "\n" + `say("not UTF-8", open, b"/app/\xff")` + "\n")
	lines.WriteString("NUL: ValueError\nnot UTF-8: EILSEQ\n")
	got := hostile.attack(g.T, code.String()).status(200).body
	if diff := cmp.Diff(strings.Split(lines.String(), "\n"), strings.Split(got, "\n")); diff != "" {
		g.Errorf("(-want +got):\n%s", diff)
	}
	g.note("%d paths", len(want)+2)
}

func symbolicLinks(g *siege) {
	folder, state := g.hostile("hostile", ""), g.TempDir()
	write(g.T, g.root, ".secret/secret", "the secret of the host")
	data := filepath.Join(state, "data", "hostile")
	for _, dir := range []string{folder, data} {
		write(g.T, dir, "inside/file", "inside")
		for name, target := range map[string]string{
			"abs": filepath.Join(g.root, ".secret"), "rel": "../.secret", "up": "../../../..", "chain": "abs", "loop": "loop", "good": "inside",
		} {
			if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
				g.Fatal(err)
			}
		}
	}
	s := g.launch(launch{state: state})
	code := tried + `
for d in "/app", "/data":
    for name in "abs", "rel", "up", "chain", "loop", "good":
        path = f"{d}/{name}"
        say(f"open {path}", open, path + "/secret" if name != "good" else path + "/file")
        say(f"list {path}", os.listdir, path)
        say(f"stat {path}", os.stat, path)
        say(f"lstat {path}", os.lstat, path)
        say(f"lstat {path}/", os.lstat, path + "/")
        say(f"make in {path}", open, path + "/new", "w")
for target in "/etc/passwd", "../../etc", "inside":
    for d in "/app", "/data", "/tmp":
        say(f"symlink {d}", os.symlink, target, d + "/new")
`
	var want strings.Builder
	for _, dir := range []string{"/app", "/data"} {
		for _, name := range []string{"abs", "rel", "up", "chain", "loop", "good"} {
			path, errno, inside := dir+"/"+name, "EPERM", "EPERM"
			switch {
			case name == "loop":
				errno, inside = "ELOOP", "ELOOP"
			case name == "good" && dir == "/app":
				errno, inside = "ok", "EROFS"
			case name == "good":
				errno, inside = "ok", "ok"
			}
			fmt.Fprintf(&want, "open %[1]s: %[2]s\nlist %[1]s: %[2]s\nstat %[1]s: %[2]s\nlstat %[1]s: ok\nlstat %[1]s/: %[2]s\nmake in %[1]s: %[3]s\n", path, errno, inside)
		}
	}
	for range 3 {
		want.WriteString("symlink /app: EPERM\nsymlink /data: EPERM\nsymlink /tmp: EPERM\n")
	}
	s.site(g.T, "hostile").attack(g.T, code).status(200).text(want.String())
	if entries, err := os.ReadDir(filepath.Join(g.root, ".secret")); err != nil || len(entries) != 1 {
		g.Errorf("the folder outside has %v, %v", entries, err)
	}
}

func hardLinks(g *siege) {
	g.hostile("hostile", "")
	hostile := g.serve().site(g.T, "hostile")
	hostile.attack(g.T, tried+`
open("/data/file", "w").close()
say("inside", os.link, "/data/file", "/data/other")
say("of the bundle", os.link, "/app/wsgi.py", "/data/other")
say("across", os.link, "/data/file", "/tmp/other")
say("outside", os.link, "/etc/passwd", "/data/other")
say("there is", os.listdir, "/data")
answer += str(os.listdir("/data"))
`).status(200).text("inside: EPERM\nof the bundle: EPERM\nacross: EPERM\noutside: EPERM\nthere is: ok\n['file']")
}

func rootsAndMounts(g *siege) {
	g.hostile("hostile", "")
	hostile := g.serve().site(g.T, "hostile")
	hostile.attack(g.T, tried+`
for d in "/data", "/tmp":
    say(f"rmdir {d}", os.rmdir, d)
    say(f"unlink {d}", os.unlink, d)
    say(f"rename {d}", os.rename, d, d + "2")
    say(f"move {d} into itself", os.rename, d, d + "/sub")
    open(d + "/file", "w").close()
    say(f"over {d}", os.rename, d + "/file", d)
say("rmdir /app", os.rmdir, "/app")
say("across", os.rename, "/data/file", "/tmp/file2")
say("out of the bundle", os.rename, "/app/wsgi.py", "/data/wsgi.py")
say("into the bundle", os.rename, "/data/file", "/app/wsgi.py")
`).status(200).text(`rmdir /data: EBUSY
unlink /data: EBUSY
rename /data: EXDEV
move /data into itself: EBUSY
over /data: EBUSY
rmdir /tmp: EBUSY
unlink /tmp: EBUSY
rename /tmp: EXDEV
move /tmp into itself: EBUSY
over /tmp: EBUSY
rmdir /app: EROFS
across: EXDEV
out of the bundle: EXDEV
into the bundle: EXDEV
`)
}

// swappedForLinks has the operator's side of the folder changed as nobody
// should while two instances open through it.
func swappedForLinks(g *siege) {
	state := g.TempDir()
	write(g.T, g.root, ".secret/secret", "the secret of the host")
	g.hostile("hostile", "[instances]\nmax = 2\n")
	data := filepath.Join(state, "data", "hostile")
	write(g.T, data, "swap/secret", "public")
	hostile := g.launch(launch{state: state}).site(g.T, "hostile")
	end := time.Now().Add(time.Minute)
	var group sync.WaitGroup
	group.Go(func() {
		link, away, swap := filepath.Join(data, "link"), filepath.Join(data, "away"), filepath.Join(data, "swap")
		for time.Now().Before(end) {
			_ = os.Symlink(filepath.Join(g.root, ".secret"), link)
			_ = os.Rename(swap, away)
			_ = os.Rename(link, swap)
			_ = os.Rename(swap, link)
			_ = os.Rename(away, swap)
			_ = os.Remove(link)
		}
	})
	for range 2 {
		b := hostile.browser(g.T)
		group.Go(func() {
			for time.Now().Before(end) {
				findsNothing(b)
			}
		})
	}
	group.Wait()
}

// findsNothing may be called from other goroutines than the test's.
func findsNothing(b *browser) {
	resp, err := b.client.Do(b.request("POST", "/", body("text/x-python", swapped)))
	if err != nil {
		b.t.Error(err)
		return
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "[]" {
		b.t.Errorf("found %q, %v", text, err)
	}
}

// swapped looks for anything but what is inside.
const swapped = `
import os, time
bad, end = set(), time.monotonic() + 1
while time.monotonic() < end:
    try:
        with open("/data/swap/secret") as f:
            bad |= {f.read()} - {"public"}
        bad |= set(os.listdir("/data/swap")) - {"secret"}
    except OSError:
        pass
answer = sorted(bad)
`

func specialFiles(g *siege) {
	folder, state := g.hostile("hostile", "[limits]\nrequest_timeout = \"20s\"\n"), g.TempDir()
	data := filepath.Join(state, "data", "hostile")
	kinds := []string{"fifo", "socket"}
	for _, dir := range []string{folder, data} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			g.Fatal(err)
		}
		if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
			g.Fatal(err)
		}
		l, err := net.Listen("unix", filepath.Join(dir, "socket"))
		if err != nil {
			g.Fatal(err)
		}
		g.Cleanup(func() { _ = l.Close() })
		err = unix.Mknod(filepath.Join(dir, "device"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 5)))
		if err == nil && dir == data {
			kinds = append(kinds, "device")
		}
	}
	hostile := g.launch(launch{state: state}).site(g.T, "hostile")
	var want strings.Builder
	for i, dir := range []string{"/app", "/data"} {
		for _, kind := range kinds {
			want.WriteString(strings.Repeat(dir+"/"+kind+": EACCES\n", 1+2*i))
		}
	}
	want.WriteString("mkfifo: True\nmknod: True\n")
	hostile.attack(g.T, tried+fmt.Sprintf("kinds = %q.split()\n", strings.Join(kinds, " "))+`
for d in "/app", "/data":
    for kind in kinds:
        path = f"{d}/{kind}"
        if d == "/app":
            say(path, open, path)
        else:
            say(path, open, path)
            say(path, open, path, "r+b")
            say(path, open, path, "wb")
for make in "mkfifo", "mknod":
    said.append(f"{make}: {not hasattr(os, make) or tried(getattr(os, make), '/data/new') != 'ok'}")
answer = "\n".join(said) + "\n"
`).status(200).text(want.String())
}

func fullDisk(g *siege) {
	state := g.TempDir()
	g.hostile("hostile", "[data]\nquota = \"4MiB\"\nfiles = 400\ntmp = \"1MiB\"\n")
	hostile := g.launch(launch{state: state}).site(g.T, "hostile")
	hostile.attack(g.T, tried+`
def write(path, n):
    with open(path, "wb", buffering=0) as f:
        f.write(bytes(n))
def many(d):
    for i in range(100000):
        open(f"{d}/{i}", "x").close()
def deep(d):
    for i in range(10000):
        d += "/d"
        os.mkdir(d)
for d in "/data", "/tmp":
    say(f"{d} sparse", os.truncate, d + "/none", 1 << 40)
    open(d + "/f", "w").close()
    say(f"{d} sparse", os.truncate, d + "/f", 1 << 40)
    say(f"{d} seek", lambda: os.pwrite(os.open(d + "/f", os.O_RDWR), b"x", 1 << 50))
    say(f"{d} fill", write, d + "/big", 5 << 20)
    say(f"{d} just fits", write, d + "/big", 1 << 20)
    say(f"{d} long name", open, d + "/" + "n" * 256, "w")
    say(f"{d} deep", deep, d)
say("many in /data", many, "/data")
say("still there", os.stat, "/data/big")
said.append(str(len(os.listdir("/data"))))
answer = "\n".join(said)
`).status(200).text(`/data sparse: ENOENT
/data sparse: ENOSPC
/data seek: ENOSPC
/data fill: ENOSPC
/data just fits: ok
/data long name: ENAMETOOLONG
/data deep: ENAMETOOLONG
/tmp sparse: ENOENT
/tmp sparse: ENOSPC
/tmp seek: ENOSPC
/tmp fill: ENOSPC
/tmp just fits: ok
/tmp long name: ENAMETOOLONG
/tmp deep: ENAMETOOLONG
many in /data: ENOSPC
still there: ok
145`)
	bytes, files := used(g.T, filepath.Join(state, "data", "hostile"))
	if bytes > 4<<20 || files != 400 {
		g.Errorf("/data has %d bytes and %d files and folders, want %d at most and 400", bytes, files, 4<<20)
	}
	hostile.well(g.T)
}

// used counts what is below a folder.
func used(t *testing.T, dir string) (bytes int64, files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		info, err := e.Info()
		files++
		if err == nil && e.Type().IsRegular() {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes, files
}

// openFiles compares what the server has open before and after instances that
// ended in every way, once those that are left have been idle.
func openFiles(g *siege) {
	g.hostile("hostile", "[limits]\nopen_files = 50\nrequest_timeout = \"2s\"\ngrace = \"0s\"\n[instances]\nidle = \"100ms\"\n[data]\nquota = \"4MiB\"\n")
	s := g.serve()
	hostile := s.site(g.T, "hostile")
	hostile.attack(g.T, holdAll+"answer = f'{len(kept[1])} {said}'").status(200).text("50 EMFILE")
	g.neighbour.leave() // its instances come and go
	hostile.well(g.T)
	before := settled(g.T, s, held{})
	for _, end := range []string{"os._exit(1)", "os.abort()", "while True: pass", "raise SystemExit", "1 / 0", "bytearray(1 << 30)"} {
		hostile.attack(g.T, holdAll+end)
	}
	hostile.well(g.T)
	if after := settled(g.T, s, before); after != before {
		g.Errorf("the server holds %+v, and held %+v before", after, before)
	}
	g.note("%+v", before)
}

// holdAll opens as many files as there may be, and keeps them.
const holdAll = `
import os
kept.setdefault(1, [])
try:
    while True:
        kept[1].append(open(f"/{('data', 'tmp')[len(kept[1]) % 2]}/{len(kept[1])}", "w"))
except OSError as e:
    import errno
    said = errno.errorcode[e.errno]
`

// held is what a process has of the kernel.
type held struct{ Files, Mappings int }

func holds(t *testing.T, s *server) held {
	t.Helper()
	pid := fmt.Sprint(s.cmd.Process.Pid)
	entries, err := os.ReadDir("/proc/" + pid + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, e := range entries {
		// Connections of clients are kept open by the clients.
		if target, err := os.Readlink("/proc/" + pid + "/fd/" + e.Name()); err == nil && !strings.HasPrefix(target, "socket:") {
			files++
		}
	}
	maps := strings.Count(read(t, "/proc/"+pid+"/maps"), "wasgi-image") + strings.Count(read(t, "/proc/"+pid+"/maps"), "/snapshots/")
	return held{files, maps}
}

// settled waits until the server holds what is wanted, or, without a wish,
// until it has held the same for a while; it gives up after some time.
func settled(t *testing.T, s *server, want held) held {
	t.Helper()
	last, same := holds(t, s), 0
	for range 100 {
		time.Sleep(50 * time.Millisecond)
		now := holds(t, s)
		if now == want {
			return now
		}
		if same++; now != last {
			same = 0
		}
		last = now
		if want == (held{}) && same == 20 {
			return now
		}
	}
	return last
}

func nothingOfTheHost(g *siege) {
	g.hostile("hostile", "[env]\nOWN = \"1\"\n")
	l := launch{env: append(environment(g.world.cache, g.TempDir()), "SECRET_OF_THE_HOST=x")}
	hostile := g.launch(l).site(g.T, "hostile")
	hostile.attack(g.T, `
import os, sys
answer = "\n".join([" ".join(sorted(os.environ)), str(sys.argv), os.getcwd(), " ".join(sorted(os.listdir("/"))),
    str(os.path.exists("/proc")), str(os.path.exists("/dev/null")), str(os.getpid() if hasattr(os, "getpid") else 0),
    os.uname().nodename if hasattr(os, "uname") else ""])
`).status(200).text("HOME LANG OWN PYTHONDONTWRITEBYTECODE TMPDIR TZ\n['wasgi']\n/app\napp data dev etc tmp usr\nFalse\nTrue\n42\n(none)")
}

func writingIntoTheBundle(g *siege) {
	fresh := g.hostile("fresh", "isolation = \"fresh\"\n")
	write(g.T, fresh, "module.py", "x = 1\n")
	write(g.T, fresh, "folder/file", "")
	s := g.serve()
	hostile := s.site(g.T, "fresh")
	for range 2 {
		hostile.attack(g.T, tried+`
import importlib, py_compile, sys
say("write", open, "/app/wsgi.py", "a")
say("create", open, "/app/new.py", "w")
say("mkdir", os.mkdir, "/app/new")
say("unlink", os.unlink, "/app/wsgi.py")
say("rmdir", os.rmdir, "/app/folder")
say("utime", os.utime, "/app/wsgi.py", (1, 1))
say("chmod", os.chmod, "/app/wsgi.py", 0o777)
say("stdlib", open, "/usr/lib/python3.13/os.py", "w")
sys.dont_write_bytecode = False
import module
say("pyc", py_compile.compile, "/app/module.py", doraise=True)
said.append(f"tmp: {os.listdir('/tmp')}")
open("/tmp/left", "w").close()
answer = "\n".join(said)
`).status(200).text(`write: EROFS
create: EROFS
mkdir: EROFS
unlink: EROFS
rmdir: EROFS
utime: EROFS
chmod: EROFS
stdlib: EROFS
pyc: EROFS
tmp: []`)
	}
	if _, files := used(g.T, fresh); files != 5 {
		g.Errorf("the bundle has %d files, want 5", files)
	}
}
