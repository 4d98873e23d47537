package wasi

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental/sys"
)

// wantErrno fails the test unless got is want.
func wantErrno(t *testing.T, what string, got, want sys.Errno) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: errno %v (%#x), want %v (%#x)", what, got, uint16(got), want, uint16(want))
	}
}

func openFile(t *testing.T, fsys FS, path string, flag sys.Oflag) File {
	t.Helper()
	f, errno := fsys.OpenFile(path, flag, 0o600)
	wantErrno(t, "open "+path, errno, 0)
	return f
}

func closeFile(t *testing.T, f File) {
	t.Helper()
	wantErrno(t, "close", f.Close(), 0)
}

func writeFile(t *testing.T, fsys FS, path, content string) {
	t.Helper()
	f := openFile(t, fsys, path, sys.O_CREAT|sys.O_TRUNC|sys.O_WRONLY)
	n, errno := f.Write([]byte(content))
	wantErrno(t, "write "+path, errno, 0)
	if n != len(content) {
		t.Fatalf("write %s: %d bytes, want %d", path, n, len(content))
	}
	closeFile(t, f)
}

func readAll(t *testing.T, f File) string {
	t.Helper()
	var content []byte
	buf := make([]byte, 7)
	for {
		n, errno := f.Read(buf)
		wantErrno(t, "read", errno, 0)
		if n == 0 {
			return string(content)
		}
		content = append(content, buf[:n]...)
	}
}

func readFile(t *testing.T, fsys FS, path string) string {
	t.Helper()
	f := openFile(t, fsys, path, sys.O_RDONLY)
	defer closeFile(t, f)
	return readAll(t, f)
}

func listNames(t *testing.T, f File, n int) []string {
	t.Helper()
	entries, errno := f.Readdir(n)
	wantErrno(t, "readdir", errno, 0)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names
}

func wantEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func (m *memory) usage() (blocks int64, files int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used.blocks, m.used.files
}

func wantUsage(t *testing.T, m *memory, blocks int64, files int) {
	t.Helper()
	if b, f := m.usage(); b != blocks || f != files {
		t.Fatalf("usage is %d blocks, %d files; want %d, %d", b, f, blocks, files)
	}
}

func newMemory(maxBytes int64, maxFiles int) *memory { return Memory(maxBytes, maxFiles).(*memory) }

func TestMemoryUnlinkedFileLives(t *testing.T) {
	m := newMemory(1<<20, 10)
	writeFile(t, m, "f", "hello")
	f := openFile(t, m, "f", sys.O_RDWR)
	wantErrno(t, "unlink", m.Unlink("f"), 0)
	_, errno := m.Stat("f")
	wantErrno(t, "stat", errno, sys.ENOENT)
	st, errno := f.Stat()
	wantErrno(t, "fstat", errno, 0)
	wantEqual(t, "links", st.Nlink, 0)
	wantEqual(t, "content", readAll(t, f), "hello")
	_, errno = f.Write([]byte(", world"))
	wantErrno(t, "write", errno, 0)
	wantUsage(t, m, 1, 1)
	closeFile(t, f)
	wantUsage(t, m, 0, 0)
	wantErrno(t, "second close", f.Close(), sys.EBADF)
	_, errno = f.Read(make([]byte, 1))
	wantErrno(t, "read after close", errno, sys.EBADF)
	wantUsage(t, m, 0, 0)
}

func TestMemoryBytesAreBounded(t *testing.T) {
	m := newMemory(4*memoryBlock, 10)
	f := openFile(t, m, "f", sys.O_CREAT|sys.O_RDWR)
	wantErrno(t, "truncate to 1<<40", f.Truncate(1<<40), ENOSPC)
	wantErrno(t, "truncate below zero", f.Truncate(-1), sys.EINVAL)
	_, errno := f.Pwrite([]byte{1}, 1<<40)
	wantErrno(t, "write at 1<<40", errno, ENOSPC)
	_, errno = f.Pwrite([]byte{1}, 1<<63-1)
	wantErrno(t, "write at the end of the numbers", errno, EFBIG)
	wantUsage(t, m, 0, 1)

	_, errno = f.Pwrite([]byte{1}, 4*memoryBlock-1)
	wantErrno(t, "write of the last byte", errno, 0)
	wantUsage(t, m, 4, 1)
	g := openFile(t, m, "g", sys.O_CREAT|sys.O_RDWR)
	_, errno = g.Write([]byte{1})
	wantErrno(t, "write beyond the bound", errno, ENOSPC)
	wantErrno(t, "truncate", f.Truncate(memoryBlock), 0)
	_, errno = g.Write([]byte{1})
	wantErrno(t, "write after a truncate", errno, 0)
	wantUsage(t, m, 2, 2)
}

func TestMemoryFilesAreBounded(t *testing.T) {
	m := newMemory(1<<20, 3)
	writeFile(t, m, "a", "")
	writeFile(t, m, "b", "")
	wantErrno(t, "mkdir", m.Mkdir("d", 0o700), 0)
	_, errno := m.OpenFile("c", sys.O_CREAT|sys.O_RDWR, 0o600)
	wantErrno(t, "create", errno, ENOSPC)
	wantErrno(t, "mkdir", m.Mkdir("e", 0o700), ENOSPC)
	wantErrno(t, "unlink", m.Unlink("a"), 0)
	wantErrno(t, "mkdir", m.Mkdir("e", 0o700), 0)
}

func TestMemoryHolesAreZero(t *testing.T) {
	m := newMemory(1<<20, 3)
	f := openFile(t, m, "f", sys.O_CREAT|sys.O_RDWR)
	secret := make([]byte, 3*memoryBlock)
	for i := range secret {
		secret[i] = 0xAA
	}
	_, errno := f.Write(secret)
	wantErrno(t, "write", errno, 0)
	wantErrno(t, "shrink", f.Truncate(100), 0)
	wantErrno(t, "grow", f.Truncate(3*memoryBlock), 0)
	got := make([]byte, 3*memoryBlock)
	n, errno := f.Pread(got, 0)
	wantErrno(t, "read", errno, 0)
	wantEqual(t, "bytes read", n, len(got))
	want := make([]byte, 3*memoryBlock)
	copy(want, secret[:100])
	wantEqual(t, "content", got, want)
}

func TestMemoryResetEmpties(t *testing.T) {
	m := newMemory(1<<20, 3)
	writeFile(t, m, "f", "secret of the last request")
	f := openFile(t, m, "f", sys.O_RDONLY)
	m.Reset()
	wantUsage(t, m, 0, 0)
	_, errno := m.Stat("f")
	wantErrno(t, "stat", errno, sys.ENOENT)
	writeFile(t, m, "f", "x")
	closeFile(t, f)
	wantUsage(t, m, 1, 1)
}

func TestMemoryDirectoryChangesWhileRead(t *testing.T) {
	m := newMemory(1<<20, 100)
	for i := range 10 {
		writeFile(t, m, fmt.Sprint("f", i), "")
	}
	d := openFile(t, m, ".", sys.O_RDONLY|sys.O_DIRECTORY)
	wantEqual(t, "first half", listNames(t, d, 5), []string{"f0", "f1", "f2", "f3", "f4"})
	wantErrno(t, "unlink of the last one read", m.Unlink("f4"), 0)
	wantErrno(t, "unlink of one to come", m.Unlink("f6"), 0)
	writeFile(t, m, "f00", "")
	wantEqual(t, "second half", listNames(t, d, 5), []string{"f5", "f7", "f8", "f9"})
	wantEqual(t, "end", listNames(t, d, 5), nil)
	_, errno := d.Seek(0, io.SeekStart)
	wantErrno(t, "rewind", errno, 0)
	wantEqual(t, "all", listNames(t, d, 0), []string{"f0", "f00", "f1", "f2", "f3", "f5", "f7", "f8", "f9"})
}

func TestMemoryAppend(t *testing.T) {
	m := newMemory(1<<20, 3)
	a := openFile(t, m, "log", sys.O_CREAT|sys.O_WRONLY|sys.O_APPEND)
	b := openFile(t, m, "log", sys.O_WRONLY|sys.O_APPEND)
	for i, f := range []File{a, b, a, b} {
		_, errno := f.Write([]byte(fmt.Sprint(i)))
		wantErrno(t, "append", errno, 0)
	}
	wantEqual(t, "content", readFile(t, m, "log"), "0123")
	_, errno := a.Read(make([]byte, 1))
	wantErrno(t, "read of a file opened for writing", errno, sys.EBADF)
}

// TestMemoryUsesBlocksAgain: writing and removing over and over takes no more
// than the file system may have, and shows nobody what was there.
func TestMemoryUsesBlocksAgain(t *testing.T) {
	m := Memory(8*memoryBlock, 10).(*memory)
	for i := range 3 {
		writeFile(t, m, "a", strings.Repeat("secret", memoryBlock))
		if got := m.InUse(); got != 6*memoryBlock+nodeCost {
			t.Errorf("round %d: %d bytes in use", i, got)
		}
		wantErrno(t, "unlink", m.Unlink("a"), 0)
	}
	if got := len(m.used.spare); got != 6 {
		t.Errorf("%d blocks are kept, want 6", got)
	}
	f := openFile(t, m, "b", sys.O_CREAT|sys.O_RDWR)
	wantErrno(t, "truncate", f.Truncate(2*memoryBlock), 0)
	if _, errno := f.Pwrite([]byte("x"), memoryBlock); errno != 0 {
		t.Fatal(errno)
	}
	if got, want := readAll(t, f), strings.Repeat("\x00", memoryBlock)+"x"+strings.Repeat("\x00", memoryBlock-1); got != want {
		t.Error("the new file shows what was in the old one")
	}
	closeFile(t, f)
	m.Reset()
	if got := m.InUse(); got != 0 {
		t.Errorf("after Reset %d bytes are in use", got)
	}
}
