package main

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
	"testing"
)

// child is a process group of its own, until the test ends.
func child(t *testing.T, script string) int {
	t.Helper()
	c := exec.Command("sh", "-c", script)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		_ = c.Wait()
	})
	return c.Process.Pid
}

func TestRestIsForWhoDoesNothing(t *testing.T) {
	if err := rest(t.Context(), child(t, "sleep 3600")); err != nil {
		t.Error(err)
	}
}

func TestRestEndsWithItsContext(t *testing.T) {
	busy := child(t, "for i in 1 2 3 4; do while :; do :; done & done; wait")
	for used, err := groupCPU(busy); used < 10*tick; used, err = groupCPU(busy) {
		if err != nil {
			t.Fatal(err)
		}
	}
	tired := errors.New("tired")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 5*restFor, tired)
	defer cancel()
	if err := rest(ctx, busy); !errors.Is(err, tired) {
		t.Errorf("got %v, want %v", err, tired)
	}
}
