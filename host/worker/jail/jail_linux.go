package jail

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Enter closes the jail. Call it once, before anything that is not trusted
// runs. An error leaves the process half open: it must end.
func Enter(s Spec) (Report, error) {
	var r Report
	for _, step := range []struct {
		name string
		do   func(*Spec, *Report) error
	}{
		{"rlimits", limitResources},
		{"no_new_privs", forbidPrivileges},
		{"capabilities", dropCapabilities},
		{"landlock", enterLandlock},
		{"seccomp", enterSeccomp},
	} {
		if err := step.do(&s, &r); err != nil {
			return r, fmt.Errorf("jail: %s: %w", step.name, err)
		}
	}
	return r, nil
}

// limitResources leaves RLIMIT_NPROC alone: it counts the processes and threads
// of the user, the host's own and every other worker's among them. What it is
// meant against, seccomp forbids: a worker can start threads only.
func limitResources(s *Spec, r *Report) error {
	for _, l := range []struct {
		resource int
		most     uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_MEMLOCK, 0},
		{unix.RLIMIT_MSGQUEUE, 0},
		{unix.RLIMIT_NOFILE, s.OpenFiles},
		{unix.RLIMIT_FSIZE, s.FileSize},
		{unix.RLIMIT_DATA, s.Data},
	} {
		if err := lower(l.resource, l.most); err != nil {
			return err
		}
	}
	r.Rlimits = fmt.Sprintf("nofile=%d fsize=%d data=%d core=0", s.OpenFiles, s.FileSize, s.Data)
	return nil
}

// lower sets both limits, and never raises one.
func lower(resource int, most uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(resource, &now); err != nil {
		return err
	}
	most = min(most, now.Max)
	return unix.Setrlimit(resource, &unix.Rlimit{Cur: most, Max: most})
}

func forbidPrivileges(_ *Spec, r *Report) error {
	if err := onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		return err
	}
	r.NoNewPrivs = true
	// After this /proc/self belongs to root, and no process of the same user
	// can attach to this one.
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

// dropCapabilities does nothing for a process without any. CAP_DAC_OVERRIDE
// stays, because a host that runs as root serves files of other users;
// landlock says which.
func dropCapabilities(_ *Spec, r *Report) error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		return err
	}
	const stays = 1 << unix.CAP_DAC_OVERRIDE
	data[0] = unix.CapUserData{Effective: data[0].Effective & stays, Permitted: data[0].Permitted & stays}
	data[1] = unix.CapUserData{}
	r.Capabilities = "none"
	if data[0].Permitted != 0 {
		r.Capabilities = "dac_override"
	}
	return onAllThreads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&data[0])), 0)
}

// onAllThreads makes a call on every thread of the process, now and in later
// ones, which inherit. It needs a binary without cgo.
func onAllThreads(nr, a, b, c uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall(nr, a, b, c)
	if errno == syscall.ENOTSUP {
		return errors.New("this binary was built with cgo: build it with CGO_ENABLED=0")
	}
	if errno != 0 {
		return errno
	}
	return nil
}
