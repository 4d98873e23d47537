package bytecode

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// DefaultCacheSize bounds a cache without a Max, in bytes: a Flask application is
// 5 MB, a Django one 20.
const DefaultCacheSize = 512 << 20

// Cache keeps byte code in files of one folder, which may be deleted at any time.
// It is safe for concurrent use, by several processes too. The zero value keeps
// nothing.
type Cache struct {
	Dir string // "" keeps nothing
	Max int64  // bytes; 0 is DefaultCacheSize
}

// key is a digest of all that a result depends on.
type key [sha256.Size]byte

// file has two levels of folders, so that none gets large.
func (c Cache) file(k key) string {
	name := fmt.Sprintf("%x", k[:])
	return filepath.Join(c.Dir, name[:2], name)
}

// get is what was put, or false. A file that is not what was written, as after a
// power cut, is none.
func (c Cache) get(k key) (result, bool) {
	f, info, ok := c.find(k)
	if !ok {
		return result{}, false
	}
	defer f.Close()
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return result{}, false
	}
	r, ok := decode(b)
	if ok {
		touch(f.Name(), info.ModTime())
	}
	return r, ok
}

// find opens a file that somebody has put. The caller closes it.
func (c Cache) find(k key) (*os.File, fs.FileInfo, bool) {
	if c.Dir == "" {
		return nil, nil, false
	}
	f, err := os.Open(c.file(k))
	if err != nil {
		return nil, nil, false
	}
	info, err := f.Stat()
	if err != nil || info.Size() > maxCode+sha256.Size+1<<8 {
		_ = f.Close()
		return nil, nil, false
	}
	return f, info, true
}

// usedEvery is how exactly the cache knows when something was used: to say so at
// each use was a fifth of what byte code that is known takes.
const usedEvery = 10 * time.Minute

// touch keeps what is used.
func touch(path string, last time.Time) {
	if now := time.Now(); now.Sub(last) > usedEvery {
		_ = os.Chtimes(path, now, now)
	}
}

// encode lays a file out: SHA-256 of the rest, length of the tag, tag, byte code.
func encode(r result) []byte {
	b := make([]byte, sha256.Size, sha256.Size+1+len(r.tag)+len(r.code))
	b = append(append(append(b, byte(len(r.tag))), r.tag...), r.code...)
	sum := sha256.Sum256(b[sha256.Size:])
	copy(b, sum[:])
	return b
}

// decode is the reverse of encode; false says that it was not written whole.
func decode(b []byte) (result, bool) {
	tag, at, ok := layout(bytes.NewReader(b), int64(len(b)))
	if !ok {
		return result{}, false
	}
	return result{tag: tag, code: b[at:]}, true
}

// put keeps a result, or does not: a cache that cannot be written to costs time.
func (c Cache) put(k key, r result) error {
	if c.Dir == "" {
		return nil
	}
	path := c.file(k)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(encode(r))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

type kept struct {
	path string
	size int64
	used time.Time
}

// Trim removes what was not used for longest, to three quarters of what may be
// kept, once there is more.
func (c Cache) Trim() error {
	limit := c.Max
	if limit == 0 {
		limit = DefaultCacheSize
	}
	all, total, err := c.list()
	if err != nil || total <= limit {
		return err
	}
	slices.SortFunc(all, func(a, b kept) int { return a.used.Compare(b.used) })
	for _, f := range all {
		if total <= limit/4*3 {
			break
		}
		err = errors.Join(err, os.Remove(f.path))
		total -= f.size
	}
	return err
}

func (c Cache) list() (all []kept, total int64, err error) {
	err = filepath.WalkDir(c.Dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // another process trims too
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return nil //nolint:nilerr // it is gone
		}
		all, total = append(all, kept{path, info.Size(), info.ModTime()}), total+info.Size()
		return nil
	})
	return all, total, err
}
