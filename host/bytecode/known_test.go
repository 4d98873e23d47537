package bytecode

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wasgi/wasgi/wasi"
)

// opened is a file of a folder, as a guest's file system opens it.
type opened struct {
	*os.File
	size int64
}

func (o opened) Size() int64 { return o.size }

func openerOf(dir string) func(string) (wasi.Derived, error) {
	return func(name string) (wasi.Derived, error) {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		info, err := f.Stat()
		return opened{f, info.Size()}, err
	}
}

// contentOf reads byte code and closes it; nil of none.
func contentOf(t *testing.T, code wasi.Derived) []byte {
	t.Helper()
	if code == nil {
		return nil
	}
	b := make([]byte, code.Size())
	if _, err := code.ReadAt(b, 0); err != nil && err != io.EOF {
		t.Error(err)
	}
	if n, err := code.ReadAt(make([]byte, 1), code.Size()); n != 0 || err != io.EOF {
		t.Errorf("behind its end: %d bytes, %v", n, err)
	}
	if err := code.Close(); err != nil {
		t.Error(err)
	}
	return b
}

func TestSourceOf(t *testing.T) {
	for name, want := range map[string]string{
		"__pycache__/a.cpython-313.pyc":          "a.py cpython-313",
		"b/c/__pycache__/a.cpython-313.pyc":      "b/c/a.py cpython-313",
		"__pycache__/a.cpython-313.opt-1.pyc":    "a.cpython-313.py opt-1",
		"__pycache__/größe.cpython-313.pyc":      "größe.py cpython-313",
		"__pycache__/__pycache__/a.x.pyc":        "__pycache__/a.py x",
		"x__pycache__/a.cpython-313.pyc":         "",
		"a.cpython-313.pyc":                      "",
		"__pycache__/a.pyc":                      "",
		"__pycache__/.cpython-313.pyc":           "",
		"__pycache__/a.CPython.pyc":              "",
		"__pycache__/a.cpython-313.py":           "",
		"__pycache__":                            "",
		"":                                       "",
		"__pycache__/" + strings.Repeat(".", 50): "",
	} {
		source, tag, ok := sourceOf(name)
		if got := strings.TrimSpace(source + " " + tag); got != want || ok != (want != "") {
			t.Errorf("sourceOf(%q) = %q, %v, want %q", name, got, ok, want)
		}
	}
}

// TestKnown: byte code is there once it was learnt, for as long as the text is the
// same, and nothing is written beside the sources.
func TestKnown(t *testing.T) {
	c := compilerFor(t, new(bytes.Buffer))
	c.Cache.Dir = t.TempDir()
	padding := strings.Repeat("# padding\n", leastKnown/10+1)
	dir := folder(t, map[string]string{"a.py": padding + "x = 1\n", "pkg/b.py": padding + "y = 2\n", "bad.py": padding + "def (", "short.py": "z = 3\n",
		"long.py": strings.Repeat("# padding\n", mostKnown/10+1)})
	var missed []string
	known := c.Known("/app", func(name string) { missed = append(missed, name) })
	names := []string{"a", "pkg/b", "bad", "short", "long", "gone"}
	codes := func() (found []string) {
		for _, n := range names {
			folder, base := filepath.Split(n)
			if code := contentOf(t, known(folder+"__pycache__/"+base+".cpython-313.pyc", openerOf(dir))); code != nil {
				found = append(found, n)
			}
		}
		return found
	}
	if got := codes(); got != nil || !slices.Equal(missed, []string{"a.py", "pkg/b.py", "bad.py"}) {
		t.Fatalf("found %q and missed %q before anything was learnt", got, missed)
	}
	c.Owner = "somebody else"
	if n, err := c.Learn(t.Context(), dir, "/app", []string{"a.py"}); n != 1 || err != nil {
		t.Fatalf("%d sources, %v", n, err)
	}
	if c.Owner = ""; codes() != nil {
		t.Fatal("byte code of another owner is known")
	}
	pipes(t, dir, "pipe.py", "piped")
	learn := append(missed[:3:3], "gone.py", "pkg", "no/where.py", "short.py", "long.py", "pipe.py", "piped/a.py")
	for _, want := range []int{2, 0} {
		if n, err := c.Learn(t.Context(), dir, "/app", learn); n != want || err != nil {
			t.Fatalf("%d sources, want %d, %v", n, want, err)
		}
	}
	missed = nil
	if got := codes(); !slices.Equal(got, []string{"a", "pkg/b"}) || missed != nil {
		t.Errorf("found %q, missed %q", got, missed)
	}
	if got := made(t, dir); got != nil {
		t.Errorf("byte code was written to the folder: %q", got)
	}
	if code := known("__pycache__/a.cpython-312.pyc", openerOf(dir)); code != nil {
		t.Error("there is byte code for another version")
	}
	if code := c.Known("/elsewhere", nil)("__pycache__/a.cpython-313.pyc", openerOf(dir)); code != nil {
		t.Error("there is byte code that names another file")
	}
	if err := os.WriteFile(filepath.Join(dir, "a.py"), []byte(padding+"x = 4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := codes(); !slices.Equal(got, []string{"pkg/b"}) {
		t.Errorf("found %q after a.py has changed", got)
	}
}

// TestKnownIsWhatTreeMakes: it is the same byte code.
func TestKnownIsWhatTreeMakes(t *testing.T) {
	c := compilerFor(t, new(bytes.Buffer))
	c.Cache.Dir = t.TempDir()
	text := map[string]string{"a.py": strings.Repeat("# padding\n", leastKnown/10+1) + "x = 1\n"}
	uploaded, dir := folder(t, text), folder(t, text)
	compile(t, c, uploaded)
	c.Owner = "shop"
	if n, err := c.Learn(t.Context(), dir, "/app", []string{"a.py"}); n != 1 || err != nil {
		t.Fatalf("%d sources, %v", n, err)
	}
	const name = "__pycache__/a.cpython-313.pyc"
	if got, want := contentOf(t, c.Known("/app", nil)(name, openerOf(dir))), read(t, filepath.Join(uploaded, name)); !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// pipes makes some that nobody writes to.
func pipes(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLearnEnds: by ctx, and at once when the folder has gone.
func TestLearnEnds(t *testing.T) {
	c := compilerFor(t, new(bytes.Buffer))
	if c.Known("/app", nil) != nil {
		t.Error("a cache that keeps nothing knows something")
	}
	c.Cache.Dir = t.TempDir()
	dir := t.TempDir()
	if n, err := c.Learn(t.Context(), filepath.Join(dir, "gone"), "/app", []string{"a.py"}); n != 0 || err != nil {
		t.Errorf("a folder that has gone: %d, %v", n, err)
	}
	pipes(t, dir, "pipe")
	if _, err := c.Learn(t.Context(), filepath.Join(dir, "pipe"), "/app", []string{"a.py"}); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a pipe in its place: %v", err)
	}
	over := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(over)
	if _, err := c.Learn(ctx, t.TempDir(), "/app", []string{"a.py"}); !errors.Is(err, over) {
		t.Errorf("%v, want %v", err, over)
	}
}

// TestKnownIsWhole: a file of the cache that is not what was written is none.
func TestKnownIsWhole(t *testing.T) {
	c := Cache{Dir: t.TempDir()}
	k := key{1}
	if err := c.put(k, result{"cpython-313", []byte("byte code")}); err != nil {
		t.Fatal(err)
	}
	whole := read(t, c.file(k))
	if tag, code := c.open(k); tag != "cpython-313" || string(contentOf(t, code)) != "byte code" {
		t.Fatalf("tag %q", tag)
	}
	for _, damaged := range [][]byte{nil, whole[:1], whole[:sha256.Size], whole[:sha256.Size+1], whole[:sha256.Size+5], whole[:len(whole)-1],
		append(bytes.Clone(whole), 'x'), append(bytes.Clone(whole[:len(whole)-1]), 'x'), append(make([]byte, sha256.Size), whole[sha256.Size:]...)} {
		if err := os.WriteFile(c.file(k), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if tag, code := c.open(k); code != nil || tag != "" {
			t.Errorf("%q is byte code for %q", damaged, tag)
		}
		if _, ok := c.get(k); ok {
			t.Errorf("%q is a result", damaged)
		}
	}
}
