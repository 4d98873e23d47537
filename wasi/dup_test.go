package wasi

import (
	"bytes"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasgi/wasgi/abi"
)

// dup returns what the guest sees: the number of the error and the descriptor.
func (g *guest) dup(fd, least uint64) (uint32, uint64) {
	g.t.Helper()
	result := g.space(4)
	number := g.call(abi.FilesDup, fd, least, result)
	return number, uint64(g.u32(result))
}

func (g *guest) mustDup(fd, least uint64) uint64 {
	g.t.Helper()
	number, made := g.dup(fd, least)
	wantEqual(g.t, "fd_dup", number, 0)
	return made
}

func (g *guest) tell(fd uint64) uint64 {
	g.t.Helper()
	result := g.space(8)
	g.want(0, "fd_tell", fd, result)
	return g.u64(result)
}

func TestDuplicatesShareTheFile(t *testing.T) {
	for _, mount := range []uint64{dataFD, tmpFD} {
		g := newGuest(t, testPolicy(t))
		fd := g.mustOpen(mount, "a", openCreate, bothRights, 0)
		second := g.mustDup(fd, 0)
		wantEqual(t, "lowest number", second, fd+1)
		wantEqual(t, "lowest number from 20 on", g.mustDup(fd, 20), uint64(20))
		g.write(second, "abc")
		wantEqual(t, "position", g.tell(fd), 3)
		g.want(0, "fd_fdstat_set_flags", 20, fdflagAppend)
		stat := g.space(fdStatSize)
		g.want(0, "fd_fdstat_get", fd, stat)
		wantEqual(t, "flags", g.bytes(stat, 3)[2], byte(fdflagAppend))

		g.want(0, "fd_close", fd)
		g.want(sys.EBADF, "fd_tell", fd, g.space(8))
		g.want(0, "fd_close", 20)
		g.write(second, "def")
		wantEqual(t, "position", g.tell(second), 6)
		g.want(0, "fd_close", second)
		g.want(sys.EBADF, "fd_tell", second, g.space(8))
		wantEqual(t, "open files", len(g.sandbox.OpenFiles()), 0)
	}
}

// TestDup2RedirectsStdout is what pytest and click do to capture what a program prints.
func TestDup2RedirectsStdout(t *testing.T) {
	var out bytes.Buffer
	policy := testPolicy(t)
	policy.Stdout = &out
	g := newGuest(t, policy)
	saved := g.mustDup(1, 0)
	file := g.mustOpen(tmpFD, "captured", openCreate, bothRights, 0)
	g.want(0, abi.FilesDup2, file, 1)
	g.want(0, "fd_close", file)
	g.write(1, "to the file")
	g.write(saved, "to stdout")
	wantEqual(t, "open files", len(g.sandbox.OpenFiles()), 2)
	g.want(0, abi.FilesDup2, saved, 1)
	g.want(0, "fd_close", saved)
	g.write(1, " again")
	wantEqual(t, "stdout", out.String(), "to stdout again")
	wantEqual(t, "file", g.read(g.mustOpen(tmpFD, "captured", 0, rightRead, 0), 20), "to the file")

	g.want(0, abi.FilesDup2, g.mustOpen(dataFD, "gone", openCreate, bothRights, 0), 2)
	g.want(sys.ENOTSUP, "fd_close", 2)
	must(t, g.sandbox.Reset())
	g.write(1, ", and after the reset")
	wantEqual(t, "stdout", out.String(), "to stdout again, and after the reset")
	wantEqual(t, "open files", len(g.sandbox.OpenFiles()), 0)
}

func TestDup2ReplacesNumbers(t *testing.T) {
	g := newGuest(t, testPolicy(t))
	a := g.mustOpen(tmpFD, "a", openCreate, bothRights, 0)
	b := g.mustOpen(tmpFD, "b", openCreate, bothRights, 0)
	g.write(a, "in a")
	g.want(0, abi.FilesDup2, a, b)
	wantEqual(t, "position of a under the number of b", g.tell(b), 4)
	g.want(0, abi.FilesDup2, a, a)
	g.want(0, abi.FilesDup2, a, b+7)
	wantEqual(t, "position under a number that was free", g.tell(b+7), 4)
	wantEqual(t, "number below it", g.mustOpen(tmpFD, "c", openCreate, bothRights, 0), b+1)
	g.want(sys.ENOTSUP, abi.FilesDup2, a, dataFD)
	g.want(sys.EBADF, abi.FilesDup2, 99, b)
	g.want(sys.EBADF, abi.FilesDup2, a, 1<<31)
	g.want(sys.EBADF, abi.FilesDup, 99, 0, g.space(4))
	g.want(sys.EINVAL, abi.FilesDup, a, 1<<31, g.space(4))
	g.want(sys.EFAULT, abi.FilesDup, a, 0, 1<<32-1)
}

func TestDuplicatesAreCapped(t *testing.T) {
	policy := testPolicy(t)
	policy.MaxOpenFiles = 4
	g := newGuest(t, policy)
	last := uint64(tmpFD + 4)
	g.want(sys.EBADF, abi.FilesDup2, 1, last+1)
	g.want(0, abi.FilesDup2, 1, last)
	for fd := uint64(tmpFD + 1); fd < last; fd++ {
		wantEqual(t, "number", g.mustDup(1, 0), fd)
	}
	number, _ := g.dup(1, 0)
	wantEqual(t, "error", number, toWASI(EMFILE))
	g.wantOpen(EMFILE, tmpFD, "x", openCreate, bothRights)
}
