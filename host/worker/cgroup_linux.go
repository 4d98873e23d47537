package worker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Limits of a worker's control group beside its memory.
const (
	// groupRoom is for what is not booked: page cache of the application's files,
	// the kernel's own.
	groupRoom = 256 << 20
	// threads are what Go's runtime may start in a worker; a guest has none.
	threads = 512
)

// group is the control group of one worker. The kernel kills the worker, and
// nobody else, when it passes the limit.
type group struct {
	dir string
	fd  int // of the folder, for clone3's CLONE_INTO_CGROUP
}

// GroupParent finds where the host may make control groups for its workers. It does so when a service
// manager has delegated a part of the hierarchy to it and put it into a group of
// its own below, as systemd does with Delegate=yes and DelegateSubgroup=host: a
// group with processes in it can have none below (cgroups(7), "no internal
// processes"), and the host does not move itself.
func GroupParent() (string, error) { return groupParent("/proc/self") }

func groupParent(procRoot string) (string, error) {
	mount, err := groupMount(filepath.Join(procRoot, "mountinfo"))
	if err != nil {
		return "", err
	}
	own, err := ownGroup(filepath.Join(procRoot, "cgroup"))
	if err != nil {
		return "", err
	}
	if own == "/" {
		return "", errors.New("the host is in the root of the control groups: give it a group of its own (systemd: Delegate=yes, DelegateSubgroup=host)")
	}
	parent := filepath.Join(mount, filepath.Dir(own))
	controllers, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
	if err != nil {
		return "", err
	}
	for _, c := range []string{"memory", "pids"} {
		if !slices.Contains(strings.Fields(string(controllers)), c) {
			return "", fmt.Errorf("the control group %s has no controller %q (version 2)", parent, c)
		}
	}
	if err := os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+memory +pids"), 0); err != nil {
		return "", fmt.Errorf("no groups can be made beside the host's: %w", err)
	}
	return parent, nil
}

// groupMount finds the mount point of version 2 (proc_pid_mountinfo(5)).
func groupMount(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if kind, _, _ := strings.Cut(after, " "); kind == "cgroup2" && len(fields) > 4 {
			return fields[4], nil
		}
	}
	return "", errors.New("control groups of version 2 are not mounted")
}

// ownGroup is the line "0::PATH" of /proc/self/cgroup (cgroups(7)).
func ownGroup(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		if path, ok := strings.CutPrefix(lines.Text(), "0::"); ok {
			return filepath.Clean("/" + path), nil
		}
	}
	return "", errors.New("this process is in no control group of version 2")
}

// newGroup makes the group of a worker.
func newGroup(parent, name string, memory uint64) (*group, error) {
	dir, err := os.MkdirTemp(parent, "wasgi-"+name+"-*")
	if err != nil {
		return nil, err
	}
	g := &group{dir: dir, fd: -1}
	if err := g.limit(memory); err != nil {
		return nil, errors.Join(err, g.remove())
	}
	if g.fd, err = unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return nil, errors.Join(err, g.remove())
	}
	return g, nil
}

// limit writes the limits. Swap is not accounted by every kernel.
func (g *group) limit(memory uint64) error {
	swap := g.write("memory.swap.max", "0")
	if errors.Is(swap, os.ErrNotExist) {
		swap = nil
	}
	return errors.Join(swap,
		g.write("memory.max", strconv.FormatUint(memory, 10)),
		g.write("pids.max", strconv.Itoa(threads)))
}

func (g *group) write(file, value string) error {
	f, err := os.OpenFile(filepath.Join(g.dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// name is for the log.
func (g *group) name() string {
	if g == nil {
		return "none"
	}
	return g.dir
}

// started lets go of what only the start of the process needed.
func (g *group) started() {
	if g != nil && g.fd >= 0 {
		_ = unix.Close(g.fd)
		g.fd = -1
	}
}

// remove removes the group of a process that has ended.
func (g *group) remove() error {
	if g == nil {
		return nil
	}
	g.started()
	if err := os.Remove(g.dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("worker: removing the control group: %w", err)
	}
	return nil
}

// groupMemory is the limit of a worker's group: what the tenant may have, the
// worker's own, and some room.
func (j *Job) groupMemory() uint64 {
	tenant := j.jail().Data - ownMemory
	if j.MemoryBudget != 0 {
		tenant = min(tenant, j.MemoryBudget)
	}
	return tenant + ownMemory/2 + groupRoom
}
