package listen

import "golang.org/x/sys/unix"

// FileLimit is how many descriptors this process may have (RLIMIT_NOFILE), 0 where
// that cannot be told.
func FileLimit() uint64 {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return limit.Cur
}

// mostAhead bounds what ReserveFiles costs: half a MiB of the kernel's memory.
const mostAhead = 1 << 16

// ReserveFiles has the kernel make its table of descriptors as large as it may become,
// 65,536 at most. It grows by doubling otherwise, and who opens the descriptor that no
// longer fits waits until every processor has let go of the old table: 10 to 20 ms
// (expand_files in fs/file.c of Linux, which waits for RCU if there are threads). So
// does the caller of this, once. An error leaves it to grow as before.
func ReserveFiles() error {
	size := min(FileLimit(), mostAhead)
	if size == 0 {
		return nil
	}
	fd, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	last, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, int(size)-1)
	if err != nil {
		return err // EMFILE: it is in use, and the table large enough
	}
	return unix.Close(last)
}
