package wasi

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// regular looks a descriptor of the guest up and expects a file.
func (g *guest) regular(fd uint64) Regular {
	g.t.Helper()
	r, errno := g.sandbox.Regular(uint32(fd))
	if errno != 0 {
		g.t.Fatalf("Regular(%d): %v", fd, errno)
	}
	return r
}

func TestRegularReads(t *testing.T) {
	g := newGuest(t, testPolicy(t))
	for _, mount := range []uint64{dataFD, tmpFD} {
		fd := g.mustOpen(mount, "f", openCreate, bothRights, 0)
		g.write(fd, "0123456789")
		r := g.regular(fd)
		wantEqual(t, "size", r.Size(), int64(10))
		p := make([]byte, 4)
		if n, err := r.ReadAt(p, 8); string(p[:n]) != "89" || !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %q, %v", p[:n], err)
		}
		if n, err := r.ReadAt(p, 3); n != 4 || err != nil || string(p) != "3456" {
			t.Errorf("in the middle: %q, %v", p[:n], err)
		}
		if _, err := r.ReadAt(p, -1); err == nil {
			t.Error("a negative offset was read")
		}
		wantEqual(t, "the guest's position", g.read(fd, 10), "")
	}
}

func TestRegularRefuses(t *testing.T) {
	g := newGuest(t, testPolicy(t))
	closed := g.mustOpen(dataFD, "closed", openCreate, bothRights, 0)
	g.want(0, "fd_close", closed)
	for name, fd := range map[string]uint64{
		"standard input": 0, "standard output": 1, "a mount": dataFD, "closed": closed, "never open": 1000, "negative": 1<<32 - 1,
		"for writing":    g.mustOpen(dataFD, "out", openCreate, rightWrite, 0),
		"in memory, too": g.mustOpen(tmpFD, "out", openCreate, rightWrite, 0),
		"a directory":    g.mustOpen(dataFD, ".", openDirectory, rightRead, 0),
	} {
		if _, errno := g.sandbox.Regular(uint32(fd)); errno != sys.EBADF && (name != "closed" || errno == 0) {
			t.Errorf("%s: %v", name, errno)
		}
	}
}

// A file that is kept outlives its descriptor and its name, and counts as long.
func TestKeptFile(t *testing.T) {
	dir := t.TempDir()
	fsys, quota := writableDirIn(t, dir, 1<<20, 100)
	g := newGuest(t, Policy{Mounts: []Mount{mountOf("/data", fsys), mountOf("/tmp", Memory(1<<20, 100))}})
	fd := g.mustOpen(3, "f", openCreate, bothRights, 0)
	g.write(fd, "0123456789")
	kept, err := g.regular(fd).Keep()
	if err != nil {
		t.Fatal(err)
	}
	g.want(0, "path_unlink_file", g.at(3, "f")...)
	g.want(0, "fd_close", fd)
	if _, err := os.Stat(filepath.Join(dir, "f")); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the file is still there: %v", err)
	}
	if bytes, files := quota.Usage(); bytes != 10 || files != 1 {
		t.Errorf("while it is kept %d bytes and %d files count", bytes, files)
	}
	p := make([]byte, 10)
	if n, err := kept.ReadAt(p, 0); n != 10 || string(p) != "0123456789" {
		t.Errorf("%q, %v", p[:n], err)
	}
	for range 2 { // each section begins where it says
		if b, err := io.ReadAll(kept.Section(3, 5)); string(b) != "34567" || err != nil {
			t.Errorf("a section: %q, %v", b, err)
		}
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	if bytes, files := quota.Usage(); bytes != 0 || files != 0 {
		t.Errorf("after it %d bytes and %d files count", bytes, files)
	}
	if err := kept.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a second Close: %v", err)
	}
	if _, err := g.regular(g.mustOpen(4, "f", openCreate, bothRights, 0)).Keep(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("in memory: %v", err)
	}
}
