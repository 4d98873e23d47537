package main

import (
	"os"
	"os/exec"
	"sort"
	"syscall"
	"time"
)

// epoch is the date of everything in the result that must have one.
func epoch() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) }

// ownGroup makes a program and all that it starts end together.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// olderThan returns the paths but the newest keep ones.
func olderThan(paths []string, keep int) []string {
	age := map[string]time.Time{}
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			age[p] = info.ModTime()
		}
	}
	sort.Slice(paths, func(i, j int) bool { return age[paths[i]].After(age[paths[j]]) })
	return paths[min(keep, len(paths)):]
}
