package bytecode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/pywasm"
	"github.com/wasgi/wasgi/wasi"
)

// compilerFor is a compiler of real guests, with a log at its finest.
func compilerFor(t *testing.T, log *bytes.Buffer) Compiler {
	t.Helper()
	art, err := pywasm.Load()
	if err != nil {
		t.Skip(err)
	}
	root, err := wasi.Archive(art.RootFS())
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := sandbox.NewEngine(t.Context(), sandbox.EngineConfig{
		Module: art.Wasm(), CacheDir: filepath.Join(cache, "wasgi", "guest-test"), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return Compiler{Sandbox: engine, Root: root, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

// folder writes files; a name that ends in / is a folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// made lists the byte code below dir.
func made(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".pyc") {
			out = append(out, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compile(t *testing.T, c Compiler, dir string) {
	t.Helper()
	if err := c.Tree(t.Context(), dir, "/app"); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTree: every source has byte code that is not checked against it, and that
// names the file as applications see it; what is no Python has none, and what is
// there already goes.
func TestTree(t *testing.T) {
	var log bytes.Buffer
	c := compilerFor(t, &log)
	dir := folder(t, map[string]string{
		"wsgi.py": "x = 1\n", "pkg/__init__.py": "", "pkg/größe.py": "y = 'ß'\n", "pkg/latin.py": "# coding: latin-1\nz = '\xe9'\n",
		"bad.py": "def (", "nul.py": "a = 1\x00", "data.txt": "x", "old/__pycache__/gone.cpython-313.pyc": "kept",
		"__pycache__/wsgi.cpython-313.pyc": "hostile", "taken/__pycache__": "a file", "taken/a.py": "b = 1\n",
		"linked/a.py": "b = 2\n", "inside/a.py": "b = 3\n", "__pycache__/folder.cpython-313.pyc/x": "", "folder.py": "b = 4\n",
	})
	for link, to := range map[string]string{"away": "/etc", "linked/__pycache__": t.TempDir(), "inside/__pycache__": "../pkg"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	compile(t, c, dir)
	want := []string{"__pycache__/folder.cpython-313.pyc", "__pycache__/wsgi.cpython-313.pyc", "old/__pycache__/gone.cpython-313.pyc",
		"pkg/__pycache__/__init__.cpython-313.pyc", "pkg/__pycache__/größe.cpython-313.pyc", "pkg/__pycache__/latin.cpython-313.pyc"}
	if got := made(t, dir); !slices.Equal(got, want) {
		t.Errorf("made %q, want %q", got, want)
	}
	code := read(t, filepath.Join(dir, want[1]))
	// PEP 552: the flags say hash-based and not checked.
	if len(code) < 16 || !bytes.Equal(code[4:8], []byte{1, 0, 0, 0}) || !bytes.Contains(code, []byte("/app/wsgi.py")) {
		t.Errorf("%q", code)
	}
	for _, name := range []string{"bad.py", "nul.py"} {
		if !strings.Contains(log.String(), "file=/app/"+name) {
			t.Errorf("the log has no word of %s: %s", name, log.String())
		}
	}
}

// TestTreeIsWhatTheGuestImports: an interpreter takes the byte code for the source's.
func TestTreeIsWhatTheGuestImports(t *testing.T) {
	c := compilerFor(t, new(bytes.Buffer))
	dir := folder(t, map[string]string{"late.py": "def fail():\n    raise RuntimeError('late')\n"})
	compile(t, c, dir)
	if err := os.WriteFile(filepath.Join(dir, "late.py"), []byte("never read"), 0o644); err != nil {
		t.Fatal(err)
	}
	app, err := wasi.SharedDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	status, err := c.Sandbox.Python(t.Context(), pythonIn(c.Root, app, &out, "-c", "import late; print(late.__cached__, late.fail.__code__.co_filename)"))
	if err != nil || status != 0 || out.String() != "/app/__pycache__/late.cpython-313.pyc /app/late.py\n" {
		t.Errorf("%d, %v, %q", status, err, out.String())
	}
}

// TestCacheServesOthers: the same text at the same path is compiled once, and
// nothing else is shared; a damaged file is made again.
func TestCacheServesOthers(t *testing.T) {
	c := compilerFor(t, new(bytes.Buffer))
	cache := t.TempDir()
	c.Cache.Dir, c.Image = filepath.Join(cache, "bytecode"), filepath.Join(cache, "bytecode.image")
	first := folder(t, map[string]string{"a.py": "x = 1\n", "b.py": "x = 2\n"})
	compile(t, c, first)
	entries := kepts(t, c.Cache)
	if len(entries) != 2 {
		t.Fatalf("kept %v", entries)
	}
	second := folder(t, map[string]string{"a.py": "x = 1\n", "sub/a.py": "x = 1\n", "b.py": "x = 3\n"})
	compile(t, c, second)
	if n := len(kepts(t, c.Cache)); n != 4 {
		t.Errorf("%d entries after a folder with one file that is known", n)
	}
	pyc := filepath.Join("__pycache__", "a.cpython-313.pyc")
	if !bytes.Equal(read(t, filepath.Join(first, pyc)), read(t, filepath.Join(second, pyc))) {
		t.Error("the same text has other byte code")
	}
	before := read(t, filepath.Join(first, pyc))
	for _, e := range entries {
		if err := os.WriteFile(e.path, append(read(t, e.path), 'x'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	third := folder(t, map[string]string{"a.py": "x = 1\n"})
	compile(t, c, third)
	if after := read(t, filepath.Join(third, pyc)); !bytes.Equal(after, before) {
		t.Errorf("%q instead of %q", after, before)
	}
}

func kepts(t *testing.T, c Cache) []kept {
	t.Helper()
	all, _, err := c.list()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSourcesKnowNothingOfEachOther: a source that breaks the interpreter that
// compiles it leaves the byte code of the next one as it is.
func TestSourcesKnowNothingOfEachOther(t *testing.T) {
	c := compilerFor(t, new(bytes.Buffer))
	deep := strings.Repeat("(", 100_000)
	long := "x = " + strings.Repeat("-", 1_000_000) + "1\n"
	files := map[string]string{"alone.py": "def f(a, *, b=1):\n    return [a, b]\n"}
	compile(t, c, folder(t, files))
	alone := folder(t, files)
	compile(t, c, alone)
	files["aa_deep.py"], files["ab_long.py"] = deep, long
	beside := folder(t, files)
	compile(t, c, beside)
	pyc := filepath.Join("__pycache__", "alone.cpython-313.pyc")
	if !bytes.Equal(read(t, filepath.Join(alone, pyc)), read(t, filepath.Join(beside, pyc))) {
		t.Error("the byte code differs")
	}
}

// TestTreeEnds with its context, and says so.
func TestTreeEnds(t *testing.T) {
	c := compilerFor(t, new(bytes.Buffer))
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if err := c.Tree(ctx, folder(t, map[string]string{"a.py": ""}), "/app"); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
}

// TestTrim: what was not used for longest goes first.
func TestTrim(t *testing.T) {
	c := Cache{Dir: t.TempDir(), Max: 1000}
	var keys []key
	for i := range 10 {
		k := key{byte(i)}
		keys = append(keys, k)
		if err := c.put(k, result{"t", bytes.Repeat([]byte{byte(i)}, 150)}); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-time.Hour).Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(c.file(k), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, found := c.get(keys[0]); !found { // and so it was used last
		t.Fatal("what was put is gone")
	}
	if err := c.Trim(); err != nil {
		t.Fatal(err)
	}
	var left []int
	for i, k := range keys {
		if _, found := c.get(k); found {
			left = append(left, i)
		}
	}
	if got := fmt.Sprint(left); got != "[0 7 8 9]" {
		t.Errorf("left %s", got)
	}
	if err := c.Trim(); err != nil || len(kepts(t, c)) != 4 {
		t.Errorf("%v, %d left after a second time", err, len(kepts(t, c)))
	}
}

// TestNoCache keeps nothing and finds nothing.
func TestNoCache(t *testing.T) {
	var c Cache
	if err := c.put(key{}, result{"t", []byte("x")}); err != nil {
		t.Error(err)
	}
	if _, found := c.get(key{}); found {
		t.Error("found something")
	}
}

func pythonIn(root, app wasi.FS, out *bytes.Buffer, args ...string) sandbox.PythonSpec {
	return sandbox.PythonSpec{
		Policy: wasi.Policy{Mounts: []wasi.Mount{policy.Shared("/", root), policy.Shared(policy.AppDir, app)}, Stdout: out, Stderr: out},
		Boot:   abi.Boot{Args: append([]string{"python"}, args...), Paths: []string{policy.AppDir}, Cwd: "/"},
	}
}

// FuzzDecode: what is accepted is what encode would write.
func FuzzDecode(f *testing.F) {
	f.Add(encode(result{"cpython-313", []byte("code")}))
	f.Add(encode(result{"../x", nil}))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, ok := decode(b); ok && !bytes.Equal(encode(r), b) {
			t.Errorf("%+v of %q", r, b)
		}
		// Almost nothing that a fuzzer makes has the digest of its rest.
		r, ok := decode(encode(result{"t", b}))
		if !ok || r.tag != "t" || !bytes.Equal(r.code, b) {
			t.Errorf("%+v, %v of %q", r, ok, b)
		}
	})
}

// TestTreeKeepsToABudget: what compiles a tenant's sources is booked like what
// serves it, and given back; a source that takes more has no byte code.
func TestTreeKeepsToABudget(t *testing.T) {
	var log bytes.Buffer
	c := compilerFor(t, &log)
	c.Memory = sandbox.NewBudget(48<<20, nil)
	big := "x = [" + strings.Repeat("[[], {}, f()],\n", 600_000) + "]\n"
	dir := folder(t, map[string]string{"big.py": big, "small.py": "x = 1\n"})
	compile(t, c, dir)
	if got, want := made(t, dir), []string{"__pycache__/small.cpython-313.pyc"}; !slices.Equal(got, want) {
		t.Errorf("made %q, want %q; the log: %s", got, want, log.String())
	}
	for range 1000 { // Go's heap, of the instance that was given up, is booked until it is collected
		if c.Memory.Used() == 0 {
			break
		}
		runtime.GC()
	}
	if used := c.Memory.Used(); used != 0 {
		t.Errorf("%d bytes were not given back", used)
	}
	c.Memory = sandbox.NewBudget(1<<20, nil)
	var e *sandbox.Error
	if err := c.Tree(t.Context(), dir, "/app"); !errors.As(err, &e) || e.Kind != sandbox.KindMemory {
		t.Errorf("%v, want a want of memory", err)
	}
}
