//go:build linux

package wasi

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental/sys"
)

var update = flag.Bool("update", false, "write the results that the golden files should have")

// TestEscapes plays every trick with a path on every call that takes one, on every kind of file system. What the calls
// answer is in testdata/escapes, a row for each trick and a column for each call; whatever they answer, nothing outside
// may change and no byte of it may be read.
func TestEscapes(t *testing.T) {
	for _, kind := range []string{"archive", "read-only", "writable", "memory"} {
		t.Run(kind, func(t *testing.T) {
			g, tr := newGuest(t, Policy{}), newTree(t, kind)
			var out strings.Builder
			calls := pathCalls()
			out.WriteString(row("", names(calls)))
			for _, trick := range tricks() {
				var cells []string
				for _, call := range calls {
					answer := g.cell(tr, trick.label()+" "+call.name, trick, call)
					if answer == "ok" {
						tr.close(t)
						tr = newTree(t, kind)
					}
					cells = append(cells, answer)
				}
				out.WriteString(row(trick.label(), cells))
			}
			tr.close(t)
			compareGolden(t, filepath.Join("testdata", "escapes", kind+".txt"), out.String())
		})
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		must(t, os.WriteFile(file, []byte(got), 0o600))
		return
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func row(first string, cells []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-26s", first)
	for _, c := range cells {
		fmt.Fprintf(&b, " %-8s", c)
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

func names(calls []pathCall) []string {
	var all []string
	for _, c := range calls {
		all = append(all, c.name)
	}
	return all
}

// trick is a path that a hostile guest tries, relative to a descriptor of the folder base.
type trick struct {
	base string // "" is the mount
	path string
}

func (t trick) label() string {
	label := t.path
	if len(label) > 40 {
		label = fmt.Sprintf("%.6s(%d bytes)", label, len(label))
	}
	label = strings.Trim(fmt.Sprintf("%+q", label), `"`)
	if t.base != "" {
		label = "[" + t.base + "] " + label
	}
	return label
}

// tricks begins with paths that are none, to compare with.
func tricks() []trick {
	var all []trick
	for _, p := range []string{
		"file", "sub", "empty", "none", "none/x", "file/x", "sub/inner",
		"", ".", "..", "/", "//", "./", "../", "/.", "/..",
		"../secret", "../other/secret", "sub/../../secret", "sub/../file", "sub/..", "sub/../..", "./../secret", "sub/./inner", "sub//inner",
		"/etc/passwd", "//etc/passwd", "/secret", "./file", ".//file", "none/../file", "file/../file", "file/..",
		"file/", "file//", "file/.", "sub/", "empty/.", "empty/", "none/", "none/.",
		"file\x00", "\x00", "file\x00/../../secret", "\xff", "\xc0\xae\xc0\xae/secret", "\xed\xa0\x80",
		"%2e%2e/secret", "..%2fsecret", "..%00/secret", "\uff0e\uff0e/secret", "\u2025/secret", "..\\secret", "C:\\secret", "...", ".. /secret",
		"FILE", "file ", "caf\u00e9", "cafe\u0301", "\u202efile", "fi\u200ble",
		strings.Repeat("n", MaxName), strings.Repeat("n", MaxName+1), longPath(MaxPath + 1), longPath(2*MaxDepth - 1), longPath(2*MaxDepth + 1),
		"abs", "abs/", "rel", "chain", "absdir", "absdir/", "absdir/secret", "reldir", "reldir/", "reldir/secret", "absdir/../secret",
		"proc", "procdir/root/etc", "self", "self/", "self/x", "loop", "loop/x",
		"good", "good/", "gooddir", "gooddir/", "gooddir/inner", "gooddir/up", "gooddir/../file", "dangling", "dangling/", "dangling/x",
		"fifo", "fifo/", "fifo/x", "socket", "device",
	} {
		all = append(all, trick{"", p})
	}
	for _, p := range []string{"inner", "..", "../file", "../../secret", "/", ".", "up", "in/../..", "./..", "out/secret"} {
		all = append(all, trick{"sub", p})
	}
	return all
}

// pathCall is a call with a path of the guest.
type pathCall struct {
	name string
	do   func(g *guest, fd, ptr, length uint64) uint32
}

// pathCalls are all calls that take a path: those that take two come twice, and those that may follow a link come with
// ("+") and without.
func pathCalls() []pathCall {
	const a, b = 900, 940 // the places of "file" and "fresh"
	var all []pathCall
	add := func(name string, do func(g *guest, fd, ptr, length uint64) uint32) {
		all = append(all, pathCall{name, do})
	}
	for lookup, mark := range []string{"", "+"} {
		lookup := uint64(lookup)
		for _, o := range []struct {
			name           string
			oflags, rights uint64
		}{
			{"read", 0, rightRead}, {"write", 0, bothRights}, {"create", openCreate, bothRights},
			{"excl", openCreate | openExclusive, bothRights}, {"trunc", openTruncate, rightWrite}, {"dir", openDirectory, rightRead},
		} {
			add(o.name+mark, func(g *guest, fd, ptr, length uint64) uint32 {
				number := g.call("path_open", fd, lookup, ptr, length, o.oflags, o.rights, o.rights, 0, 800)
				if number == 0 {
					g.lookAround(uint64(g.u32(800)))
				}
				return number
			})
		}
		add("stat"+mark, func(g *guest, fd, ptr, length uint64) uint32 {
			return g.call("path_filestat_get", fd, lookup, ptr, length, 800)
		})
		add("times"+mark, func(g *guest, fd, ptr, length uint64) uint32 {
			return g.call("path_filestat_set_times", fd, lookup, ptr, length, 1, 1, 5)
		})
		add("link"+mark, func(g *guest, fd, ptr, length uint64) uint32 {
			return g.call("path_link", fd, lookup, ptr, length, fd, b, 5)
		})
	}
	add("linkto", func(g *guest, fd, ptr, length uint64) uint32 {
		return g.call("path_link", fd, 0, a, 4, fd, ptr, length)
	})
	add("symlink", func(g *guest, fd, ptr, length uint64) uint32 { return g.call("path_symlink", ptr, length, fd, b, 5) })
	add("symto", func(g *guest, fd, ptr, length uint64) uint32 { return g.call("path_symlink", a, 4, fd, ptr, length) })
	add("readlink", func(g *guest, fd, ptr, length uint64) uint32 {
		return g.call("path_readlink", fd, ptr, length, 1000, 200, 800)
	})
	add("mkdir", func(g *guest, fd, ptr, length uint64) uint32 { return g.call("path_create_directory", fd, ptr, length) })
	add("rmdir", func(g *guest, fd, ptr, length uint64) uint32 { return g.call("path_remove_directory", fd, ptr, length) })
	add("unlink", func(g *guest, fd, ptr, length uint64) uint32 { return g.call("path_unlink_file", fd, ptr, length) })
	add("rename", func(g *guest, fd, ptr, length uint64) uint32 {
		return g.call("path_rename", fd, ptr, length, fd, b, 5)
	})
	add("moveto", func(g *guest, fd, ptr, length uint64) uint32 {
		return g.call("path_rename", fd, a, 4, fd, ptr, length)
	})
	return all
}

// lookAround reads what was opened, as a file and as a directory.
func (g *guest) lookAround(fd uint64) {
	g.t.Helper()
	copy(g.bytes(1000, 8), "\xb0\x04\x00\x00\x00\x04\x00\x00") // one vector: 1024 bytes at 1200
	if g.call("fd_read", fd, 1000, 1, 800) == 0 {
		if content := string(g.bytes(1200, g.u32(800))); strings.Contains(content, "secret") {
			g.t.Errorf("read %q", content)
		}
	}
	if g.call("fd_readdir", fd, 1200, 4096, 0, 800) == 0 {
		if list := string(g.bytes(1200, g.u32(800))); strings.Contains(list, "secret") {
			g.t.Error("listed the folder outside")
		}
	}
	g.call("fd_write", fd, 1000, 1, 800)
	g.call("fd_close", fd)
}

// tree is a file system of some kind and what is around it on the host.
type tree struct {
	dir    string // "" for those in memory
	fsys   FS
	before []string // picture of dir
}

// cell makes one call on a tree that nobody has touched and returns the short name of its answer.
func (g *guest) cell(tree *tree, what string, trick trick, call pathCall) string {
	g.t.Helper()
	sandbox, err := Policy{Mounts: []Mount{mountOf("/data", tree.fsys)}}.NewSandbox()
	must(g.t, err)
	g.sandbox, g.ctx = sandbox, sandbox.Context(context.Background())
	g.next = 8192
	clear(g.bytes(0, 8192))
	copy(g.bytes(900, 4), "file")
	copy(g.bytes(940, 5), "fresh")
	fd, base := uint64(3), 0
	if trick.base != "" {
		fd, base = g.mustOpen(fd, trick.base, openDirectory, rightRead, 0), 1
	}
	ptr, length := g.path(trick.path)
	number := call.do(g, fd, ptr, length)
	if open := sandbox.OpenFiles(); len(open) > base {
		g.t.Errorf("%s: left open: %q", what, open)
	}
	if diff := cmp.Diff(tree.before, picture(g.t, tree.dir, number != 0)); number != 0 && diff != "" {
		g.t.Errorf("%s failed and changed something:\n%s", what, diff)
	} else if out := picture(g.t, tree.dir, false); cmp.Diff(out, outsideOf(tree.before)) != "" {
		g.t.Errorf("%s changed what is outside:\n%s", what, cmp.Diff(outsideOf(tree.before), out))
	}
	must(g.t, sandbox.Close())
	return shortName(number)
}

// inside marks what lies in the mount.
const inside = "/in"

func outsideOf(picture []string) []string {
	return slices.DeleteFunc(slices.Clone(picture), func(line string) bool { return strings.HasPrefix(line, inside) })
}

// shortName is the error's name without its E.
func shortName(number uint32) string {
	known := map[sys.Errno]string{
		sys.EACCES: "ACCES", sys.EEXIST: "EXIST", sys.EINVAL: "INVAL", sys.EISDIR: "ISDIR", sys.ELOOP: "LOOP", sys.ENAMETOOLONG: "LONG",
		sys.ENOENT: "NOENT", sys.ENOSYS: "NOSYS", sys.ENOTDIR: "NOTDIR", sys.ENOTEMPTY: "FULL", sys.ENOTSUP: "NOTSUP", sys.EPERM: "PERM",
		sys.EROFS: "ROFS", EBUSY: "BUSY", EXDEV: "XDEV", EILSEQ: "ILSEQ",
	}
	for errno, short := range known {
		if toWASI(errno) == number {
			return short
		}
	}
	if number == 0 {
		return "ok"
	}
	return fmt.Sprint(number)
}

// picture is all that is around the mount, and in it too if that is asked for: names, modes, times and contents.
func picture(t *testing.T, dir string, whole bool) []string {
	t.Helper()
	var all []string
	if dir == "" {
		return nil
	}
	must(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !whole && name == dir+inside {
			return errOr(err, fs.SkipDir)
		}
		info, err := e.Info()
		line := fmt.Sprint(strings.TrimPrefix(name, dir), " ", info.Mode(), info.ModTime().UnixNano())
		if err == nil && e.Type().IsRegular() {
			var content []byte
			content, err = os.ReadFile(name)
			line += string(content)
		}
		all = append(all, line)
		return err
	}))
	return all
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// newTree makes a file system of the kind; those on the host have secrets around them. Those in memory have neither
// links nor anything special.
func newTree(t *testing.T, kind string) *tree {
	t.Helper()
	switch kind {
	case "archive":
		return &tree{fsys: newArchive(t, zipEntry{name: "file", content: "inside"}, zipEntry{name: "sub/inner", content: "inside"}, zipEntry{name: "empty/"})}
	case "memory":
		m := newMemory(1<<20, 1000)
		wantErrno(t, "mkdir", m.Mkdir("sub", 0o700), 0)
		wantErrno(t, "mkdir", m.Mkdir("empty", 0o700), 0)
		writeFile(t, m, "file", "inside")
		writeFile(t, m, "sub/inner", "inside")
		return &tree{fsys: m}
	}
	dir := hostTree(t)
	fsys, err := ReadOnlyDir(dir + inside)
	if kind == "writable" {
		fsys, err = WritableDir(dir+inside, NewQuota(1<<20, 1000))
	}
	must(t, err)
	return &tree{dir, fsys, picture(t, dir, true)}
}

func (tr *tree) close(t *testing.T) {
	t.Helper()
	if tr.dir != "" {
		must(t, errors.Join(tr.fsys.(io.Closer).Close(), os.RemoveAll(tr.dir)))
	}
}

func hostTree(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "escape-")
	must(t, err)
	in := dir + inside
	for _, d := range []string{"sub", "empty", "../other"} {
		must(t, os.MkdirAll(filepath.Join(in, d), 0o700))
	}
	for name, content := range map[string]string{"../secret": "secret", "../other/secret": "secret", "file": "inside", "sub/inner": "inside"} {
		must(t, os.WriteFile(filepath.Join(in, name), []byte(content), 0o600))
	}
	for link, target := range map[string]string{
		"abs": filepath.Join(dir, "secret"), "rel": "../secret", "chain": "rel", "absdir": filepath.Join(dir, "other"), "reldir": "../other",
		"proc": "/proc/self/environ", "procdir": "/proc/self", "self": "self", "loop": "loop2", "loop2": "loop",
		"good": "file", "gooddir": "sub", "dangling": "nothing", "sub/up": "../../secret", "sub/out": "../../other", "sub/in": "../empty",
	} {
		must(t, os.Symlink(target, filepath.Join(in, link)))
	}
	addSpecial(t, in)
	return dir
}
