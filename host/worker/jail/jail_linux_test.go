package jail

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// The tests run hostile system calls in a process of their own, because nobody
// leaves a jail: TestMain turns this binary into that process.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "prisoner" {
		os.Exit(prisoner(os.Args[2]))
	}
	os.Exit(m.Run())
}

// confession is what the prisoner found.
type confession struct {
	Report Report
	Found  map[string]string // probe: errno in words, "" for success
}

// prisoner enters the jail and tries everything, each on a thread that was
// there before and on one that was not.
func prisoner(dir string) int {
	early := thread()
	pagemap, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return 2
	}
	report, err := Enter(Spec{
		ReadOnly: []string{filepath.Join(dir, "read")}, ReadWrite: []string{filepath.Join(dir, "write")},
		OpenFiles: 64, FileSize: 1 << 20, Data: 1 << 30,
	})
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	late := thread()
	c := confession{report, map[string]string{}}
	for _, p := range probes(dir, pagemap.Fd()) {
		first, second := early(p.try), late(p.try)
		c.Found[p.name] = word(first)
		if first != second {
			c.Found[p.name] = word(first) + ", on a new thread " + word(second)
		}
	}
	if json.NewEncoder(os.Stdout).Encode(c) != nil {
		return 3
	}
	return 0
}

// thread runs functions on an operating system thread of its own.
func thread() func(func() error) error {
	work, result := make(chan func() error), make(chan error)
	go func() { // ends with the process
		runtime.LockOSThread()
		for f := range work {
			result <- f()
		}
	}()
	run := func(f func() error) error { work <- f; return <-result }
	_ = run(func() error { return nil })
	return run
}

func word(err error) string {
	if errno, ok := err.(syscall.Errno); ok {
		return unix.ErrnoName(errno)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// probe is one attempt. want is what seccomp and landlock together answer,
// without is what is left when landlock is not there, "-" when that depends on
// the machine.
type probe struct {
	name, want, without string
	try                 func() error
}

func probes(dir string, pagemap uintptr) []probe {
	outside, read, write := filepath.Join(dir, "outside"), filepath.Join(dir, "read"), filepath.Join(dir, "write")
	open := func(name string, flags int) func() error {
		return func() error {
			fd, err := unix.Open(name, flags, 0o600)
			if err == nil {
				err = unix.Close(fd)
			}
			return err
		}
	}
	call := func(nr uintptr, args ...uintptr) func() error {
		args = append(args, make([]uintptr, 6-len(args))...)
		return func() error {
			_, _, errno := unix.Syscall6(nr, args[0], args[1], args[2], args[3], args[4], args[5])
			if errno != 0 {
				return errno
			}
			return nil
		}
	}
	path := func(s string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(s + "\x00"))) }
	socket := func(family, kind int) func() error {
		return func() error { _, err := unix.Socket(family, kind, 0); return err }
	}
	files := []probe{
		{"read a file inside", "", "", open(read+"/file", unix.O_RDONLY)},
		{"write a file inside", "", "", open(write+"/file", unix.O_RDWR|unix.O_CREAT)},
		{"make a folder inside", "", "", func() error {
			err := unix.Mkdirat(unix.AT_FDCWD, write+"/folder", 0o700)
			_ = unix.Unlinkat(unix.AT_FDCWD, write+"/folder", unix.AT_REMOVEDIR)
			return err
		}},
		{"write a read-only file", "EACCES", "-", open(read+"/file", unix.O_RDWR)},
		{"make a file in a read-only folder", "EACCES", "-", open(read+"/new", unix.O_WRONLY|unix.O_CREAT)},
		{"truncate a read-only file", "EACCES", "-", open(read+"/file", unix.O_RDONLY|unix.O_TRUNC)},
		{"remove a read-only file", "EACCES", "-", func() error { return unix.Unlinkat(unix.AT_FDCWD, read+"/file", 0) }},
		{"read a file outside", "EACCES", "-", open(outside+"/file", unix.O_RDONLY)},
		{"read a file outside by ..", "EACCES", "-", open(read+"/../outside/file", unix.O_RDONLY)},
		{"read a file outside by a link", "EACCES", "-", open(read+"/link", unix.O_RDONLY)},
		{"list a folder outside", "EACCES", "-", open(outside, unix.O_RDONLY|unix.O_DIRECTORY)},
		{"list the root", "EACCES", "-", open("/", unix.O_RDONLY|unix.O_DIRECTORY)},
		{"read /etc/passwd", "EACCES", "-", open("/etc/passwd", unix.O_RDONLY)},
		{"read /proc/self/mem", "EACCES", "-", open("/proc/self/mem", unix.O_RDWR)},
		{"read /proc/1/environ", "EACCES", "-", open("/proc/1/environ", unix.O_RDONLY)},
		{"open a device", "EACCES", "-", open("/dev/null", unix.O_RDWR)},
		{"rename to the outside", "EACCES", "-", func() error {
			return unix.Renameat(unix.AT_FDCWD, write+"/file", unix.AT_FDCWD, outside+"/moved")
		}},
	}
	program := path("/bin/true")
	calls := []probe{
		{"execve", "EPERM", "EPERM", call(unix.SYS_EXECVE, program, 0, 0)},
		{"execveat", "EPERM", "EPERM", call(unix.SYS_EXECVEAT, ^uintptr(99), program, 0, 0, 0)},
		{"fork by clone", "EPERM", "EPERM", call(unix.SYS_CLONE, uintptr(unix.SIGCHLD))},
		{"vfork by clone", "EPERM", "EPERM", call(unix.SYS_CLONE, unix.CLONE_VM|unix.CLONE_VFORK|uintptr(unix.SIGCHLD))},
		{"clone3", "ENOSYS", "ENOSYS", call(unix.SYS_CLONE3, 0, 0)},
		{"socket unix", "EPERM", "EPERM", socket(unix.AF_UNIX, unix.SOCK_STREAM)},
		{"socket inet", "EPERM", "EPERM", socket(unix.AF_INET, unix.SOCK_STREAM)},
		{"socket inet6", "EPERM", "EPERM", socket(unix.AF_INET6, unix.SOCK_DGRAM)},
		{"socket netlink", "EPERM", "EPERM", socket(unix.AF_NETLINK, unix.SOCK_RAW)},
		{"socket packet", "EPERM", "EPERM", socket(unix.AF_PACKET, unix.SOCK_RAW)},
		{"socket vsock", "EPERM", "EPERM", socket(unix.AF_VSOCK, unix.SOCK_STREAM)},
		{"socketpair", "EPERM", "EPERM", func() error { _, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err }},
		{"connect", "EPERM", "EPERM", call(unix.SYS_CONNECT, 0, 0, 0)},
		{"bind", "EPERM", "EPERM", call(unix.SYS_BIND, 0, 0, 0)},
		{"listen", "EPERM", "EPERM", call(unix.SYS_LISTEN, 0, 0)},
		{"sendmsg", "EPERM", "EPERM", call(unix.SYS_SENDMSG, 0, 0, 0)},
		{"ptrace", "EPERM", "EPERM", call(unix.SYS_PTRACE, unix.PTRACE_ATTACH, uintptr(unix.Getppid()))},
		{"kill the parent", "EPERM", "EPERM", func() error { return unix.Kill(unix.Getppid(), 0) }},
		{"kill itself by kill", "EPERM", "EPERM", func() error { return unix.Kill(unix.Getpid(), 0) }},
		{"tgkill the parent", "EPERM", "EPERM", func() error { return unix.Tgkill(1, 1, 0) }},
		{"pidfd_open", "EPERM", "EPERM", call(unix.SYS_PIDFD_OPEN, 1, 0)},
		{"pidfd_send_signal", "EPERM", "EPERM", call(unix.SYS_PIDFD_SEND_SIGNAL, 0, 0, 0, 0)},
		{"process_vm_readv", "EPERM", "EPERM", call(unix.SYS_PROCESS_VM_READV, 1)},
		{"process_vm_writev", "EPERM", "EPERM", call(unix.SYS_PROCESS_VM_WRITEV, 1)},
		{"mount", "EPERM", "EPERM", call(unix.SYS_MOUNT)},
		{"umount", "EPERM", "EPERM", call(unix.SYS_UMOUNT2, path("/"), 0)},
		{"pivot_root", "EPERM", "EPERM", call(unix.SYS_PIVOT_ROOT)},
		{"chroot", "EPERM", "EPERM", call(unix.SYS_CHROOT, path("/"))},
		{"unshare", "EPERM", "EPERM", call(unix.SYS_UNSHARE, unix.CLONE_NEWUSER)},
		{"setns", "EPERM", "EPERM", call(unix.SYS_SETNS, 0, 0)},
		{"bpf", "EPERM", "EPERM", call(unix.SYS_BPF)},
		{"perf_event_open", "EPERM", "EPERM", call(unix.SYS_PERF_EVENT_OPEN)},
		{"userfaultfd", "EPERM", "EPERM", call(unix.SYS_USERFAULTFD, 1)},
		{"io_uring_setup", "EPERM", "EPERM", call(unix.SYS_IO_URING_SETUP, 1, 0)},
		{"keyctl", "EPERM", "EPERM", call(unix.SYS_KEYCTL)},
		{"add_key", "EPERM", "EPERM", call(unix.SYS_ADD_KEY)},
		{"init_module", "EPERM", "EPERM", call(unix.SYS_INIT_MODULE)},
		{"finit_module", "EPERM", "EPERM", call(unix.SYS_FINIT_MODULE)},
		{"kexec_load", "EPERM", "EPERM", call(unix.SYS_KEXEC_LOAD)},
		{"reboot", "EPERM", "EPERM", call(unix.SYS_REBOOT)},
		{"open_by_handle_at", "EPERM", "EPERM", call(unix.SYS_OPEN_BY_HANDLE_AT, 0, 0, 0)},
		{"setuid", "EPERM", "EPERM", call(unix.SYS_SETUID, 0)},
		{"capset", "EPERM", "EPERM", call(unix.SYS_CAPSET)},
		{"prctl", "EINVAL", "EINVAL", call(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1)},
		{"seccomp", "EPERM", "EPERM", call(unix.SYS_SECCOMP)},
		{"personality", "EPERM", "EPERM", call(unix.SYS_PERSONALITY, ^uintptr(0))},
		{"symlinkat", "EPERM", "EPERM", func() error { return unix.Symlinkat("/", unix.AT_FDCWD, write+"/symlink") }},
		{"linkat", "EPERM", "EPERM", func() error {
			return unix.Linkat(unix.AT_FDCWD, write+"/file", unix.AT_FDCWD, write+"/hardlink", 0)
		}},
		{"mknodat", "EPERM", "EPERM", func() error { return unix.Mknodat(unix.AT_FDCWD, write+"/fifo", unix.S_IFIFO, 0) }},
		{"prlimit on the parent", "EPERM", "EPERM", func() error {
			return unix.Prlimit(unix.Getppid(), unix.RLIMIT_NOFILE, &unix.Rlimit{}, nil)
		}},
		{"raise a limit", "EPERM", "EPERM", func() error { return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1000, Max: 1000}) }},
		{"fcntl F_SETOWN", "EPERM", "EPERM", func() error { _, err := unix.FcntlInt(0, unix.F_SETOWN, 1); return err }},
		{"ioctl TIOCSTI", "EPERM", "EPERM", call(unix.SYS_IOCTL, 0, unix.TIOCSTI, 0)},
		{"ioctl PAGEMAP_SCAN reaches the kernel", "EFAULT", "EFAULT", call(unix.SYS_IOCTL, pagemap, pagemapScan, 0)},
		{"map executable memory", "EPERM", "EPERM", call(unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON, ^uintptr(0), 0)},
		{"count the faults of this process", "EFAULT", "EFAULT", call(unix.SYS_GETRUSAGE, unix.RUSAGE_SELF, 0, 0)},
		{"count the faults of a thread", "EPERM", "EPERM", call(unix.SYS_GETRUSAGE, unix.RUSAGE_THREAD, 0, 0)},
		{"make memory executable", "EPERM", "EPERM", call(unix.SYS_MPROTECT, 0, 0, unix.PROT_READ|unix.PROT_EXEC)},
		{"pkey_mprotect", "EPERM", "EPERM", call(unix.SYS_PKEY_MPROTECT, 0, 0, unix.PROT_EXEC, ^uintptr(0))},
		{"a number of the 32-bit table", "EPERM", "EPERM", call(0x40000000 | unix.SYS_EXECVE)},
		{"a number that does not exist", "EPERM", "EPERM", call(9999)},
		{"write a file above the size", "EFBIG", "EFBIG", func() error {
			fd, err := unix.Open(write+"/big", unix.O_RDWR|unix.O_CREAT, 0o600)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			return unix.Ftruncate(fd, 2<<20)
		}},
		{"map more than the limit", "ENOMEM", "ENOMEM", func() error {
			_, err := unix.MmapPtr(-1, 0, nil, 2<<30, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			return err
		}},
		{"reserve more than the limit", "", "", func() error {
			p, err := unix.MmapPtr(-1, 0, nil, 8<<30, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
			if err == nil {
				err = unix.MunmapPtr(p, 8<<30)
			}
			return err
		}},
	}
	return slices.Concat(files, calls)
}

func TestJail(t *testing.T) {
	c := confess(t)
	landlocked := !strings.HasPrefix(c.Report.Landlock, "none")
	if !landlocked {
		t.Logf("this kernel has no landlock: %v", c.Report.Missing)
	}
	if strings.HasPrefix(c.Report.Seccomp, "none") {
		t.Skipf("this kernel has no seccomp: %v", c.Report.Missing)
	}
	want := map[string]string{}
	for _, p := range probes("", 0) {
		switch {
		case landlocked:
			want[p.name] = p.want
		case p.without != "-":
			want[p.name] = p.without
		default:
			delete(c.Found, p.name)
		}
	}
	if diff := cmp.Diff(want, c.Found); diff != "" {
		t.Errorf("in the jail (-want +got):\n%s", diff)
	}
}

// TestReport compares what the jail says with what the kernel says.
func TestReport(t *testing.T) {
	r := confess(t).Report
	if !r.NoNewPrivs || !strings.Contains(r.Rlimits, "nofile=64 fsize=1048576 data=1073741824 core=0") {
		t.Errorf("%+v", r)
	}
	version, err := landlockVersion()
	if found := r.Landlock != "none"; found != (err == nil) {
		t.Errorf("landlock %q, the kernel says %d, %v", r.Landlock, version, err)
	}
	if len(r.Missing) == 0 && strings.Contains(r.String(), "missing") {
		t.Error(r.String())
	}
}

func confess(t *testing.T) confession {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"read", "write", "outside"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "file"), []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../outside/file", filepath.Join(dir, "read", "link")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "prisoner", dir)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if strings.Contains(problems.String(), "cgo") {
		t.Skip(problems.String())
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	var c confession
	if err := json.Unmarshal(out, &c); err != nil {
		t.Fatalf("%v: %q", err, out)
	}
	return c
}

// TestFilter is what assemble makes of a rule, instruction by instruction.
func TestFilter(t *testing.T) {
	got, err := assemble(7, []rule{{nr: 1}, {nr: 2, when: []condition{{1, 0xff, []uint32{3, 4}}}}, {nr: 5, deny: true, errno: 22}})
	if err != nil {
		t.Fatal(err)
	}
	const (
		load, and, equal, answer = 0x20, 0x54, 0x15, 0x06
		allow, deny              = 0x7fff0000, 0x50000
	)
	want := []unix.SockFilter{
		{Code: load, K: 4},
		{Code: equal, Jt: 1, K: 7},
		{Code: answer, K: 0x80000000},
		{Code: load, K: 0},
		{Code: equal, Jf: 1, K: 1},
		{Code: answer, K: allow},
		{Code: equal, Jf: 6, K: 2},
		{Code: load, K: 24},
		{Code: and, K: 0xff},
		{Code: equal, Jt: 2, K: 3},
		{Code: equal, Jt: 1, K: 4},
		{Code: answer, K: deny | 1},
		{Code: answer, K: allow},
		{Code: equal, Jf: 1, K: 5},
		{Code: answer, K: deny | 22},
		{Code: answer, K: deny | 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
