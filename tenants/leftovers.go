package tenants

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// makingPrefix and oldPrefix begin the names of folders that are on their way
// into place and out of it.
const (
	makingPrefix = ".making-"
	oldPrefix    = ".old-"
)

// leftoverAge is how old a folder must be to be taken for a leftover: it is
// made a moment before it is held.
const leftoverAge = time.Minute

// hold marks a folder as being worked on until the result is closed. The kernel
// ends it with the process, however that ends.
func hold(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweep removes what preparations left below home that were killed. What cannot
// be removed is only in the way.
func sweep(home string, now time.Time) {
	entries, err := os.ReadDir(home)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), makingPrefix) || strings.HasPrefix(e.Name(), oldPrefix) {
			sweepOne(filepath.Join(home, e.Name()), e, now)
		}
	}
}

func sweepOne(dir string, e fs.DirEntry, now time.Time) {
	info, err := e.Info()
	if err != nil || now.Sub(info.ModTime()) < leftoverAge {
		return
	}
	f, err := hold(dir)
	if err != nil {
		return // somebody works on it
	}
	_ = os.RemoveAll(dir)
	_ = f.Close()
}
