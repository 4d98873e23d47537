package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Claim says that this process uses an application's /data, until Close. The
// kernel ends it with the process, however that ends.
type Claim struct{ file *os.File }

// ClaimData claims the folder, which is made when it is not there. The first of
// all processes removes the lock folders that a crashed host has left in it
// (package wasi, locks.go): nobody who could hold one is alive. Later ones,
// such as a command beside the server, leave everything alone.
func ClaimData(dir string) (*Claim, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	name := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".use")
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("claiming the data folder %s: %w", dir, err)
	}
	if err := claim(file, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("claiming the data folder %s: %w", dir, err), file.Close())
	}
	return &Claim{file}, nil
}

// Close ends the claim.
func (c *Claim) Close() error { return c.file.Close() }

func claim(file *os.File, dir string) error {
	fd := int(file.Fd())
	err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		if err := removeLocks(dir); err != nil {
			return err
		}
	} else if !errors.Is(err, syscall.EWOULDBLOCK) {
		return err
	}
	return syscall.Flock(fd, syscall.LOCK_SH)
}

// removeLocks removes empty folders whose names end in .lock.
func removeLocks(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !e.IsDir() || !strings.HasSuffix(name, ".lock") {
			return nil
		}
		switch err := root.Remove(name); {
		case err == nil:
			return fs.SkipDir
		case errors.Is(err, syscall.ENOTEMPTY):
			return nil // no lock: a lock folder is empty
		default:
			return err
		}
	})
}
