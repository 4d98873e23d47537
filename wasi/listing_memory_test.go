package wasi

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestListingsAreMemoryInUse: what the host keeps of a directory that is being
// read belongs to the guest, and a guest may have many open.
func TestListingsAreMemoryInUse(t *testing.T) {
	dir, name := t.TempDir(), strings.Repeat("n", 100)
	for i := range listingBatch + 10 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s%03d", name, i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fsys, err := ReadOnlyDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	g := newGuest(t, Policy{Mounts: []Mount{mountOf("/app", fsys)}})
	fd, buf, result := g.mustOpen(3, ".", openDirectory, rightRead, 0), g.space(1000), g.space(4)
	g.want(0, "fd_readdir", fd, buf, 1000, 0, result)
	if got, want := g.sandbox.MemoryInUse(), int64(listingBatch*(entrySize+103)); got != want {
		t.Errorf("a window of %d entries counts %d bytes, want %d", listingBatch, got, want)
	}
	g.want(0, "fd_close", fd)
	if got := g.sandbox.MemoryInUse(); got != 0 {
		t.Errorf("%d bytes after it was closed", got)
	}
}

// TestEmptyFilesAreMemoryInUse: ten thousand of them are megabytes of the host.
func TestEmptyFilesAreMemoryInUse(t *testing.T) {
	s, err := Policy{Mounts: []Mount{mountOf("/tmp", Memory(1<<20, 100))}}.NewSandbox()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if errno := s.mounts[0].fs.Mkdir(fmt.Sprint(i), 0o700); errno != 0 {
			t.Fatal(errno)
		}
	}
	if got := s.MemoryInUse(); got != 3*nodeCost {
		t.Errorf("3 directories count %d bytes, want %d", got, 3*nodeCost)
	}
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	if got := s.MemoryInUse(); got != 0 {
		t.Errorf("%d bytes after a reset", got)
	}
}
