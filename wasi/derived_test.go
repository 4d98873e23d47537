package wasi

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// shout is text in capitals, and counts how many are open.
type shout struct {
	*strings.Reader
	open *int
}

func (s shout) Close() error { *s.open--; return nil }

// upper derives NAME.upper from NAME.
func (s shout) upper(name string, open func(string) (Derived, error)) Derived {
	source, ok := strings.CutSuffix(name, ".upper")
	if !ok {
		return nil
	}
	f, err := open(source)
	if err != nil {
		return nil
	}
	defer f.Close()
	text := make([]byte, f.Size())
	if _, err := f.ReadAt(text, 0); err != nil && err != io.EOF || len(text) > 8 {
		return nil
	}
	*s.open++
	return shout{strings.NewReader(strings.ToUpper(string(text))), s.open}
}

func derivedDir(t *testing.T) FS {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"a.py": "text", "sub/b.py": "bee", "long.py": "123456789", "there.py": "x", "there.py.upper": "its own", "none": ""} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "out")))
	must(t, os.Symlink("a.py", filepath.Join(dir, "link")))
	open := 0
	fsys, err := ReadOnlyDirWith(dir, shout{open: &open}.upper)
	must(t, err)
	t.Cleanup(func() {
		closeFS(t, fsys)
		if open != 0 {
			t.Errorf("%d are open", open)
		}
	})
	return fsys
}

func TestDerivedFiles(t *testing.T) {
	fsys := derivedDir(t)
	for name, want := range map[string]string{"a.py.upper": "TEXT", "sub/b.py.upper": "BEE", "./sub/../a.py.upper": "TEXT", "there.py.upper": "its own", "none.upper": "", "link.upper": "TEXT"} {
		f, errno := fsys.OpenFile(name, sys.O_RDONLY, 0)
		if errno != 0 {
			t.Errorf("%s: %v", name, errno)
			continue
		}
		got := make([]byte, 20)
		n, errno := f.Read(got)
		st, statErrno := f.Stat()
		if string(got[:n]) != want || errno != 0 || statErrno != 0 || st.Size != int64(len(want)) || st.Mode != 0o644|mounted && name != "there.py.upper" {
			t.Errorf("%s: %q, %v, %+v, %v, want %q", name, got[:n], errno, st, statErrno, want)
		}
		if first, next := f.Close(), f.Close(); first != 0 || next != sys.EBADF {
			t.Errorf("%s: closed twice: %v, %v", name, first, next)
		}
	}
}

func TestDerivedFilesThatAreNot(t *testing.T) {
	fsys := derivedDir(t)
	for _, c := range []struct {
		name string
		flag sys.Oflag
		want sys.Errno
	}{
		{"a.py.lower", sys.O_RDONLY, sys.ENOENT},
		{"gone.py.upper", sys.O_RDONLY, sys.ENOENT},
		{"long.py.upper", sys.O_RDONLY, sys.ENOENT}, // above the limit
		{"sub.upper", sys.O_RDONLY, sys.ENOENT},     // of a folder
		{"out.upper", sys.O_RDONLY, sys.ENOENT},     // leads out
		{"a.py.upper/", sys.O_RDONLY, sys.ENOENT},   // it would be a folder
		{"a.py.upper", sys.O_DIRECTORY, sys.ENOENT}, // and so would this
		{"../a.py.upper", sys.O_RDONLY, sys.EPERM},  // above the start
		{"a.py.upper", sys.O_RDWR, sys.ENOENT},      // nothing to write to
		{"a.py.upper", sys.O_WRONLY | sys.O_CREAT, sys.EROFS},
	} {
		if _, errno := fsys.OpenFile(c.name, c.flag, 0); errno != c.want {
			t.Errorf("open %s with %v: %v, want %v", c.name, c.flag, errno, c.want)
		}
	}
	if _, errno := fsys.Stat("a.py.upper"); errno != sys.ENOENT {
		t.Errorf("stat: %v", errno)
	}
	f, errno := fsys.OpenFile("a.py.upper", sys.O_RDONLY, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	if _, errno := f.Write([]byte("x")); errno != sys.EBADF {
		t.Errorf("write: %v", errno)
	}
	if errno := f.Close(); errno != 0 {
		t.Errorf("close: %v", errno)
	}
}

func TestSourceOfDerive(t *testing.T) {
	d := derivedDir(t).(*readOnlyDir)
	f, err := d.source("a.py")
	must(t, err)
	if f.Size() != 4 {
		t.Errorf("%d bytes, want 4", f.Size())
	}
	must(t, f.Close())
	for name, want := range map[string]error{"sub": sys.EISDIR, "gone": fs.ErrNotExist, "out": sys.EPERM} {
		if _, err := d.source(name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}
