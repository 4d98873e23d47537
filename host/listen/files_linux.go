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
