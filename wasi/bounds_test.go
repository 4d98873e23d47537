package wasi

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// TestMemoryTablesGoWithTheContent: a file's table of blocks is not counted, so it must not outlive them. Ten thousand
// files that once were as long as /tmp allows would hold a gigabyte.
func TestMemoryTablesGoWithTheContent(t *testing.T) {
	m := newMemory(64<<20, 100)
	for _, size := range []int64{0, 1, 100 * memoryBlock} {
		f := openFile(t, m, fmt.Sprint(size), sys.O_CREAT|sys.O_RDWR)
		wantErrno(t, "grow", f.Truncate(64<<20), 0)
		wantErrno(t, "shrink", f.Truncate(size), 0)
		if have, most := cap(f.(*memoryFile).node.blocks), 2*int(blocksFor(size)); have > most {
			t.Errorf("a file of %d bytes keeps a table of %d blocks, want %d at most", size, have, most)
		}
		wantErrno(t, "remove", f.Truncate(0), 0)
		closeFile(t, f)
	}
}

// TestResetPutsTheRootBack: the times of /tmp itself are a message to the next request.
func TestResetPutsTheRootBack(t *testing.T) {
	m := newMemory(1<<20, 10)
	wantErrno(t, "utimens", m.Utimens(".", 1, 2), 0)
	m.Reset()
	st, _ := m.Stat(".")
	if st.Atim == 1 || st.Mtim == 2 {
		t.Errorf("times of the root after a reset: %d, %d", st.Atim, st.Mtim)
	}
}

// TestAllocateNeverShortens: another instance may have made the file longer since its size was looked at.
func TestAllocateNeverShortens(t *testing.T) {
	disk, q := writableDirIn(t, t.TempDir(), 1<<20, 100)
	for name, fsys := range map[string]FS{"memory": newMemory(1<<20, 10), "disk": disk} {
		f := openFile(t, fsys, "f", sys.O_CREAT|sys.O_RDWR)
		wantErrno(t, name, f.(allocator).Allocate(100), 0)
		wantErrno(t, name, f.(allocator).Allocate(10), 0)
		st, errno := f.Stat()
		wantErrno(t, name, errno, 0)
		wantEqual(t, name+": size", st.Size, 100)
		wantErrno(t, name, f.(allocator).Allocate(2<<20), ENOSPC)
		closeFile(t, f)
		read := openFile(t, fsys, "f", sys.O_RDONLY)
		wantErrno(t, name+": without the right", read.(allocator).Allocate(200), sys.EBADF)
		closeFile(t, read)
	}
	wantQuota(t, q, 100, 1)
}

// TestAppendThatFailsStaysWhereItWas compares the position after an append for which there was no room.
func TestAppendThatFailsStaysWhereItWas(t *testing.T) {
	fsys, _ := writableDirIn(t, t.TempDir(), 10, 10)
	f := openFile(t, fsys, "f", sys.O_CREAT|sys.O_RDWR|sys.O_APPEND)
	defer closeFile(t, f)
	for _, step := range []struct {
		data  string
		errno sys.Errno
		at    int64
	}{{"12345", 0, 5}, {"123456", ENOSPC, 5}, {"1", 0, 6}} {
		_, errno := f.Write([]byte(step.data))
		wantErrno(t, "write", errno, step.errno)
		at, errno := f.Seek(0, io.SeekCurrent)
		wantErrno(t, "seek", errno, 0)
		wantEqual(t, "position", at, step.at)
	}
}

// counter counts what is written to it.
type counter struct{ bytes, most int }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += len(p)
	c.most = max(c.most, len(p))
	return len(p), nil
}

// TestOneCallMovesLittle: the vectors of one call may all name the same memory, and a call into the host cannot be
// stopped. A thousand times the guest's memory would keep the host busy for minutes.
func TestOneCallMovesLittle(t *testing.T) {
	var out counter
	p := testPolicy(t)
	p.Stdout = &out
	g := newGuest(t, p)
	block := g.space(200 << 10)
	var same []uint64
	for range 4 {
		same = append(same, block, 200<<10)
	}
	result := g.space(4)
	g.want(0, "fd_write", append(append([]uint64{1}, g.vectors(same...)...), result)...)
	wantEqual(t, "written to stdout", g.u32(result), maxStdio)
	wantEqual(t, "bytes that came", out.bytes, maxStdio)

	fd := g.mustOpen(dataFD, "f", openCreate, bothRights, 0)
	g.want(0, "fd_write", append(append([]uint64{fd}, g.vectors(same...)...), result)...)
	wantEqual(t, "written to a file", g.u32(result), 800<<10)
	whole := uint64(guestPages << 16)
	huge := make([]uint64, 0, 2*maxVectors)
	for range maxVectors {
		huge = append(huge, 0, whole)
	}
	g.want(sys.EINVAL, "fd_write", append(append([]uint64{fd}, g.vectors(huge...)...), result)...)
	g.want(sys.EINVAL, "fd_pread", append(append([]uint64{fd}, g.vectors(huge...)...), 0, result)...)
}

// TestHostFilesOfManyNamesAreCounted is the operator's hard link: its bytes count once, and until its last name goes.
func TestHostFilesOfManyNamesAreCounted(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("12345"), 0o600))
	must(t, os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b")))
	fsys, q := writableDirIn(t, dir, 1<<20, 100)
	wantQuota(t, q, 5, 2)
	wantErrno(t, "unlink", fsys.Unlink("a"), 0)
	wantQuota(t, q, 5, 1)
	wantErrno(t, "unlink", fsys.Unlink("b"), 0)
	wantQuota(t, q, 0, 0)
}
