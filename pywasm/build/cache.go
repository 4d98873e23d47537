package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A cache keeps the results of steps:
//
//	steps/NAME-KEY/out/         what the step made
//	steps/NAME-KEY/result.json  its digest, and how long it took
//	logs/NAME.log               what the step printed when it last ran
//	tmp/                        work in progress
type cache struct {
	dir  string
	lock *os.File // held until close
}

// A result is what is kept about a finished step.
type result struct {
	Digest  digest  `json:"digest"`
	Seconds float64 `json:"seconds"`
}

// openCache makes the folders and keeps other builds out until close.
func openCache(dir string) (*cache, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"steps", "logs", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("%w (choose another cache with --cache)", err)
		}
	}
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	c := &cache{dir, lock}
	if err := c.wait(); err != nil {
		return nil, err
	}
	return c, c.clean()
}

// close lets other builds in.
func (c *cache) close() { c.lock.Close() }

// wait waits for another build that uses this cache, if there is one.
func (c *cache) wait() error {
	fd := int(c.lock.Fd())
	if syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return nil
	}
	fmt.Fprintln(os.Stderr, "another build uses this cache; waiting for it")
	return syscall.Flock(fd, syscall.LOCK_EX)
}

// clean removes what an interrupted build left.
func (c *cache) clean() error {
	tmp := filepath.Join(c.dir, "tmp")
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	return os.Mkdir(tmp, 0o755)
}

// path is the folder of a result.
func (c *cache) path(name string, key digest) string {
	return filepath.Join(c.dir, "steps", name+"-"+key.short())
}

// log is the file that keeps what a step printed.
func (c *cache) log(name string) string { return filepath.Join(c.dir, "logs", name+".log") }

// get returns a finished result.
func (c *cache) get(name string, key digest) (result, bool, error) {
	var r result
	b, err := os.ReadFile(filepath.Join(c.path(name, key), "result.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	return r, err == nil, err
}

// put moves a temporary folder into place as the result of a step. A result
// of the same key makes way.
func (c *cache) put(name string, key digest, tmp string, r result) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, "result.json"), b, 0o644); err != nil {
		return err
	}
	dst := c.path(name, key)
	if err := os.Rename(dst, tmp+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(tmp, dst); err != nil {
		return err
	}
	return os.RemoveAll(tmp + ".old")
}

// prune removes the results of a step but the newest keep ones and current.
func (c *cache) prune(name string, current digest, keep int) error {
	paths, err := filepath.Glob(filepath.Join(c.dir, "steps", name+"-*"))
	if err != nil {
		return err
	}
	for _, p := range olderThan(paths, keep) {
		if p == c.path(name, current) {
			continue
		}
		if err := os.RemoveAll(p); err != nil {
			return err
		}
	}
	return nil
}
