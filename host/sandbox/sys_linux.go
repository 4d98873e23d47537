package sandbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserve takes size bytes of address space that nobody may touch yet.
func reserve(size uint64) ([]byte, error) {
	p, err := mapNothing(nil, uintptr(size), 0)
	if err != nil {
		return nil, fmt.Errorf("reserving %d bytes of address space: %w", size, err)
	}
	return unsafe.Slice((*byte)(p), size), nil
}

// mapNothing reserves address space, with MAP_FIXED in place of what is at an address.
func mapNothing(at unsafe.Pointer, size uintptr, flags int) (unsafe.Pointer, error) {
	return unix.MmapPtr(-1, 0, at, size, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE|flags)
}

// addressSpaceLimited says whether the process may not reserve as much as it likes.
func addressSpaceLimited() bool {
	var limit unix.Rlimit
	return unix.Getrlimit(unix.RLIMIT_AS, &limit) != nil || limit.Cur != unix.RLIM_INFINITY
}

// commit makes reserved bytes readable and writable. They are zero.
func commit(b []byte) error {
	if err := unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		return fmt.Errorf("committing %d bytes of memory: %w", len(b), err)
	}
	return nil
}

// preferHuge asks for large pages; a kernel without them is as good, and slower.
func preferHuge(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }

// readAttribute reads an extended attribute of at most size bytes.
func readAttribute(f *os.File, name string, size int) ([]byte, error) {
	b := make([]byte, size)
	n, err := unix.Fgetxattr(int(f.Fd()), name, b)
	if err != nil {
		return nil, err
	}
	return b[:n], nil
}

func writeAttribute(f *os.File, name string, value []byte) error {
	return unix.Fsetxattr(int(f.Fd()), name, value, 0)
}

// mapPrivate puts a copy-on-write view of the file in place of b, whatever b
// was before. When the kernel refuses, it may have taken away what was there: then
// nobody may touch b, as when it was reserved. errHole says that not even that could be had.
func mapPrivate(b []byte, f *os.File, offset int64) error {
	at, size := unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b))
	_, err := unix.MmapPtr(int(f.Fd()), offset, at, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("mapping the snapshot: %w", err)
	if _, again := mapNothing(at, size, unix.MAP_FIXED); again != nil {
		return errors.Join(err, errHole)
	}
	return err
}

// mapReadOnly returns a view of the file. It is private, because a sealed
// memfd refuses a shared one on kernels before 6.7.
func mapReadOnly(f *os.File, offset int64, size uint64) ([]byte, error) {
	p, err := unix.MmapPtr(int(f.Fd()), offset, nil, uintptr(size), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("mapping the snapshot read-only: %w", err)
	}
	return unsafe.Slice((*byte)(p), size), nil
}

// unmap gives a mapping back.
func unmap(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	return unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b)))
}

// memoryFile returns a file without a name that lives in memory.
func memoryFile(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// seal forbids every later change of a memory file.
func seal(f *os.File) error {
	_, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS,
		unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE|unix.F_SEAL_SEAL)
	return err
}

// nextData returns the offset of the first byte at or after offset that is not
// in a hole; the end of the file when there is none.
func nextData(f *os.File, offset, end int64) int64 {
	at, err := unix.Seek(int(f.Fd()), offset, unix.SEEK_DATA)
	if err == unix.ENXIO {
		return end
	}
	if err != nil {
		return offset // this file system cannot tell: all of it is data
	}
	return min(at, end)
}

// openNoFollow opens a file for reading and refuses a symbolic link.
func openNoFollow(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
}

// numbersOf are those of a file's device and of its inode.
func numbersOf(info os.FileInfo) (device, inode uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return uint64(st.Dev), st.Ino
}

// ownedByUs says whether the file belongs to the user of this process.
func ownedByUs(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}
