package jail

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights of landlock(7) that a folder can give here. None of them makes a link,
// a device, a socket or a program.
const (
	readRights  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	writeRights = readRights | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_REFER | unix.LANDLOCK_ACCESS_FS_TRUNCATE
)

// enterLandlock restricts every thread. A kernel without landlock, or one that
// was started without it, has none to offer.
func enterLandlock(s *Spec, r *Report) error {
	version, err := landlockVersion()
	if err != nil {
		r.Landlock = r.lacks("landlock", err)
		return nil
	}
	handled := handledBy(version)
	rules, err := newRuleset(&handled)
	if err != nil {
		return err
	}
	defer unix.Close(rules)
	for _, dir := range s.ReadOnly {
		if err := allowBelow(rules, dir, readRights&handled.fs); err != nil {
			return err
		}
	}
	for _, dir := range s.ReadWrite {
		if err := allowBelow(rules, dir, writeRights&handled.fs); err != nil {
			return err
		}
	}
	if err := onAllThreads(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules), 0, 0); err != nil {
		return err
	}
	r.Landlock = fmt.Sprintf("v%d", version)
	return nil
}

func landlockVersion() (int, error) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(v), nil
}

// ruleset is struct landlock_ruleset_attr (linux/landlock.h).
type ruleset struct{ fs, net, scoped uint64 }

// handledBy is everything that a version can forbid.
func handledBy(version int) ruleset {
	attr := ruleset{fs: 1<<13 - 1}
	if version >= 2 {
		attr.fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		attr.fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 4 {
		attr.net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= 5 {
		attr.fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if version >= 6 {
		attr.scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	}
	// The first kernels with this one forbid signals between the threads of one
	// process too, which Go's runtime needs.
	if version >= 7 {
		attr.scoped |= unix.LANDLOCK_SCOPE_SIGNAL
	}
	return attr
}

// newRuleset passes the whole structure: what an older kernel does not know is
// zero, which it accepts.
func newRuleset(attr *ruleset) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(attr)), unsafe.Sizeof(*attr), 0)
	if errno != 0 {
		return -1, fmt.Errorf("making the rules: %w", errno)
	}
	return int(fd), nil
}

// allowBelow must be given a folder that exists.
func allowBelow(rules int, dir string, rights uint64) error {
	if dir == "" {
		return errors.New("a folder without a name")
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC|unix.O_DIRECTORY, 0)
	if err != nil {
		return fmt.Errorf("opening %s: %w", dir, err)
	}
	defer unix.Close(fd)
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules),
		unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("allowing %s: %w", dir, errno)
	}
	return nil
}
