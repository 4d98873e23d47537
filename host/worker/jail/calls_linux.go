//go:build linux && (amd64 || arm64)

package jail

import (
	"slices"

	"golang.org/x/sys/unix"
)

// pagemapScan is what package sandbox asks of /proc/self/pagemap
// (linux/fs.h).
const pagemapScan = 0xc0606610

// whole is the mask of a condition on a whole number.
const whole = 1<<32 - 1

// allowed is the list of system calls: what Go's runtime, package os's Root and
// package sandbox need when everything has been opened. self is the process.
func allowed(self uint32) []rule {
	rules := slices.Concat(frequent(), files(), guarded(self))
	return append(rules,
		// The runtime falls back to clone, whose flags can be seen.
		rule{nr: unix.SYS_CLONE3, deny: true, errno: uint32(unix.ENOSYS)},
		// The runtime takes this for a kernel that cannot name mappings.
		rule{nr: unix.SYS_PRCTL, deny: true, errno: uint32(unix.EINVAL)},
	)
}

// frequent comes first: the filter is a list.
func frequent() []rule {
	return calls(
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_FUTEX, unix.SYS_EPOLL_PWAIT, unix.SYS_MADVISE, unix.SYS_NANOSLEEP,
		unix.SYS_SCHED_YIELD, unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGPROCMASK, unix.SYS_MUNMAP, unix.SYS_GETPID,
		unix.SYS_GETTID, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_GETRANDOM, unix.SYS_CLOSE,
		unix.SYS_RECVMSG, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_CREATE1, unix.SYS_EVENTFD2, unix.SYS_SIGALTSTACK,
		unix.SYS_RT_SIGACTION, unix.SYS_SCHED_GETAFFINITY, unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_GETEUID,
		unix.SYS_RESTART_SYSCALL, unix.SYS_MEMFD_CREATE, unix.SYS_PPOLL, unix.SYS_SHUTDOWN, unix.SYS_GETSOCKOPT,
	)
}

// files are bounded by landlock and by the descriptors that are open.
func files() []rule {
	return calls(
		unix.SYS_OPENAT, unix.SYS_FSTAT, unix.SYS_NEWFSTATAT, unix.SYS_STATX, unix.SYS_LSEEK, unix.SYS_PREAD64,
		unix.SYS_PWRITE64, unix.SYS_GETDENTS64, unix.SYS_MKDIRAT, unix.SYS_UNLINKAT, unix.SYS_RENAMEAT,
		unix.SYS_FTRUNCATE, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_UTIMENSAT, unix.SYS_READLINKAT,
		unix.SYS_FCHMOD, unix.SYS_FALLOCATE, unix.SYS_FADVISE64, unix.SYS_FLOCK,
	)
}

// guarded are calls of which only some uses are harmless.
func guarded(self uint32) []rule {
	const executable = unix.PROT_EXEC
	return []rule{
		// The guest's code was compiled before the jail closed: nothing that is
		// written from now on can be executed.
		{nr: unix.SYS_MMAP, when: []condition{{2, executable, []uint32{0}}}},
		{nr: unix.SYS_MPROTECT, when: []condition{{2, executable, []uint32{0}}}},
		{nr: unix.SYS_CLONE, when: []condition{{0, unix.CLONE_THREAD, []uint32{unix.CLONE_THREAD}}}},
		{nr: unix.SYS_TGKILL, when: []condition{{0, whole, []uint32{self}}}},
		// Package sandbox counts page faults, and looks for pages.
		{nr: unix.SYS_GETRUSAGE, when: []condition{{0, whole, []uint32{unix.RUSAGE_SELF}}}},
		{nr: unix.SYS_IOCTL, when: []condition{{1, whole, []uint32{pagemapScan}}}},
		// Of the sockets that the host hands over, what package wasi lets guests set.
		{nr: unix.SYS_SETSOCKOPT, when: []condition{
			{1, whole, []uint32{unix.SOL_SOCKET, unix.IPPROTO_TCP}},
			{2, whole, []uint32{
				unix.TCP_NODELAY, unix.TCP_KEEPIDLE, unix.TCP_KEEPINTVL, unix.TCP_KEEPCNT, unix.TCP_USER_TIMEOUT,
				unix.TCP_QUICKACK, unix.SO_SNDBUF, unix.SO_RCVBUF, unix.SO_KEEPALIVE, unix.SO_LINGER,
			}},
		}},
		// F_SETOWN, which would send signals to others, is not among them.
		{nr: unix.SYS_FCNTL, when: []condition{{1, whole, []uint32{
			unix.F_DUPFD_CLOEXEC, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_ADD_SEALS, unix.F_GET_SEALS,
			unix.F_OFD_GETLK, unix.F_OFD_SETLK,
		}}}},
	}
}

func calls(numbers ...uintptr) []rule {
	var out []rule
	for _, nr := range numbers {
		out = append(out, rule{nr: nr})
	}
	return out
}
