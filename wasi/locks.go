package wasi

import (
	"errors"
	"path"
	"strings"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// SQLite has no other locks here than folders: it makes DATABASE.lock, and removes it when it is done. A guest that is
// killed, or put back to its snapshot, in the middle of a transaction never does, and everybody else would find the
// database locked for ever. The guest cannot tell a stale lock from a live one; the host can, because it knows who made
// which folder. So a sandbox removes the lock folders that its guest made and left, when the guest ends or is reset.

// lockSuffix ends the name of a lock folder.
const lockSuffix = ".lock"

// maxLockFolders bounds what is remembered of one guest. Nothing real has as many.
const maxLockFolders = 256

// lockFolder is a folder that the guest made.
type lockFolder struct {
	mount *mount
	path  string // without a slash at the end
}

func lockFolderAt(at location) (lockFolder, bool) {
	name := strings.TrimSuffix(at.path, "/")
	return lockFolder{at.mount, name}, strings.HasSuffix(path.Base(name), lockSuffix)
}

// made remembers a lock folder.
func (s *Sandbox) made(at location) {
	l, ok := lockFolderAt(at)
	if !ok || len(s.locks) >= maxLockFolders {
		return
	}
	if s.locks == nil {
		s.locks = map[lockFolder]struct{}{}
	}
	s.locks[l] = struct{}{}
}

// removed forgets one.
func (s *Sandbox) removed(at location) {
	if l, ok := lockFolderAt(at); ok {
		delete(s.locks, l)
	}
}

// unlock removes what is left. A folder with something in it was no lock, and one that is gone needs nothing.
func (s *Sandbox) unlock() error {
	var errs []error
	for l := range s.locks {
		if errno := l.mount.fs.Rmdir(l.path); errno != 0 && errno != sys.ENOENT && errno != sys.ENOTEMPTY {
			errs = append(errs, errno)
		}
	}
	clear(s.locks)
	return errors.Join(errs...)
}
