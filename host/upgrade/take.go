package upgrade

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Legacy is what a new process got from the one before it. A nil Legacy is that
// of a process that begins anew. It is for one goroutine.
type Legacy struct {
	State   *os.File // the claim of the state folder; who takes it closes it
	Serving []string // the tenants that the old process serves
	ready   *os.File
	sockets []passed
}

// Take finds what was passed, and takes the variable out of the environment. It is
// to be called once in a process, before it opens anything.
func Take() (*Legacy, error) {
	text, found := os.LookupEnv(variable)
	if !found {
		return nil, nil
	}
	if err := os.Unsetenv(variable); err != nil {
		return nil, err
	}
	var l legacy
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return nil, fmt.Errorf("what an older process has passed (%s) cannot be read: %w", variable, err)
	}
	fds := []int{l.Ready, l.State}
	for _, s := range l.Sockets {
		fds = append(fds, s.FD)
	}
	for _, fd := range fds {
		if fd < 3 {
			return nil, fmt.Errorf("what an older process has passed (%s) names descriptor %d", variable, fd)
		}
		syscall.CloseOnExec(fd)
	}
	return &Legacy{
		State: os.NewFile(uintptr(l.State), "state"), ready: os.NewFile(uintptr(l.Ready), "ready"),
		Serving: l.Serving, sockets: l.Sockets,
	}, nil
}

// Sockets are the descriptors of a key, which nobody gets again.
func (l *Legacy) Sockets(key string) (fds []int) {
	if l == nil {
		return nil
	}
	var left []passed
	for _, s := range l.sockets {
		if s.Key == key {
			fds = append(fds, s.FD)
			continue
		}
		left = append(left, s)
	}
	l.sockets = left
	return fds
}

// Rest closes the sockets that nobody took, and names their keys.
func (l *Legacy) Rest() (keys []string) {
	if l == nil {
		return nil
	}
	for _, s := range l.sockets {
		keys = append(keys, s.Key)
		_ = syscall.Close(s.FD)
	}
	l.sockets = nil
	return keys
}

// Ready tells the old process to end. It fails when that has given up waiting.
func (l *Legacy) Ready() error {
	if l == nil {
		return nil
	}
	_, err := l.ready.WriteString(readyWord)
	return errors.Join(err, l.ready.Close())
}
