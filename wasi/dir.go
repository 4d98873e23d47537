package wasi

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// ReadOnlyDir returns a directory of the host that guests may read. It is safe for concurrent use and meant to be
// opened once; it implements io.Closer.
//
// Symbolic links in it are followed as long as they stay inside; what leads out, an absolute link included, is EPERM.
// Only regular files and directories are opened, anything else is EACCES, and changes are EROFS.
func ReadOnlyDir(path string) (FS, error) { return ReadOnlyDirWith(path, nil) }

// SharedDir is ReadOnlyDir for files that other tenants may have too, if only as hard links of an installer: locks on
// them do not leave the instance, or one tenant could tell another something, or keep it waiting.
func SharedDir(path string) (FS, error) {
	d, err := openReadOnly(path, true)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func openReadOnly(path string, shared bool) (*readOnlyDir, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("wasi: opening the directory %s: %w", path, err)
	}
	return &readOnlyDir{dir: dir{root: root}, shared: shared}, nil
}

// dir is what directories of the host have in common: all that changes nothing.
type dir struct {
	root  *os.Root
	quota *Quota // nil when read-only
}

// Close closes the directory. Files that are open stay so.
func (d *dir) Close() error { return d.root.Close() }

func (d *dir) Stat(path string) (stat, sys.Errno) { return d.look(path, d.root.Stat) }

// Lstat follows a link nevertheless when a slash comes after it, as lstat does.
func (d *dir) Lstat(path string) (stat, sys.Errno) {
	if _, mustDir, errno := parsePath(path); errno == 0 && mustDir {
		return d.Stat(path)
	}
	return d.look(path, d.root.Lstat)
}

func (d *dir) look(path string, look func(string) (os.FileInfo, error)) (stat, sys.Errno) {
	name, mustDir, errno := parsePath(path)
	if errno != 0 {
		return stat{}, errno
	}
	info, err := look(name)
	switch {
	case err != nil:
		return stat{}, errnoOf(err)
	case mustDir && !info.IsDir():
		return stat{}, sys.ENOTDIR
	}
	return statOf(info), 0
}

// Readlink shows relative targets only: an absolute one cannot be followed, and its text is a path of the host.
func (d *dir) Readlink(link string) (string, sys.Errno) {
	name, mustDir, errno := parsePath(link)
	if mustDir {
		if _, errno = d.Stat(link); errno == 0 {
			errno = sys.EINVAL
		}
	}
	if errno != 0 {
		return "", errno
	}
	target, err := d.root.Readlink(name)
	switch {
	case err != nil:
		return "", errnoOf(err)
	case path.IsAbs(target):
		return "", sys.EPERM
	}
	return target, 0
}

// openHost opens name, which is clean, and refuses what is neither a regular file nor a directory. O_NONBLOCK keeps
// the open of a fifo from waiting for its other end, until it is seen and closed.
//
// perm is the mode of a file that it makes.
func (d *dir) openHost(name string, flag sys.Oflag, mustDir bool, perm fsMode) (*os.File, stat, sys.Errno) {
	if flag&sys.O_NOFOLLOW != 0 && !mustDir {
		if info, err := d.root.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return nil, stat{}, sys.ELOOP
		}
	}
	f, err := d.root.OpenFile(name, hostFlags(flag, mustDir), perm.Perm()|hostNeeds(false))
	if err != nil {
		return nil, stat{}, errnoOf(err)
	}
	info, err := f.Stat()
	errno := errnoOf(err)
	if errno == 0 && !info.Mode().IsRegular() && !info.IsDir() {
		errno = sys.EACCES
	}
	if errno != 0 {
		_ = f.Close()
		return nil, stat{}, errno
	}
	return f, statOf(info), 0
}

// hostFlags leaves O_APPEND and O_TRUNC out: the position of an append and the size after a truncate are the quota's
// business.
func hostFlags(flag sys.Oflag, mustDir bool) int {
	host := os.O_RDONLY
	switch {
	case flag&sys.O_RDWR != 0:
		host = os.O_RDWR
	case flag&sys.O_WRONLY != 0:
		host = os.O_WRONLY
	}
	for _, f := range [...]struct {
		guest sys.Oflag
		host  int
	}{
		{sys.O_CREAT, os.O_CREATE},
		{sys.O_EXCL, os.O_EXCL},
		{sys.O_SYNC | sys.O_DSYNC | sys.O_RSYNC, os.O_SYNC},
		{sys.O_DIRECTORY, syscall.O_DIRECTORY},
	} {
		if flag&f.guest != 0 {
			host |= f.host
		}
	}
	if mustDir {
		host |= syscall.O_DIRECTORY
	}
	return host | syscall.O_NONBLOCK | syscall.O_NOCTTY
}

type readOnlyDir struct {
	readOnlyFS
	dir
	shared bool   // with other tenants
	derive Derive // what is not there; nil is nothing
}

// The methods that both halves have.
func (d *readOnlyDir) Stat(path string) (stat, sys.Errno)       { return readOnlyStat(d.dir.Stat(path)) }
func (d *readOnlyDir) Lstat(path string) (stat, sys.Errno)      { return readOnlyStat(d.dir.Lstat(path)) }
func (d *readOnlyDir) Readlink(path string) (string, sys.Errno) { return d.dir.Readlink(path) }
func (d *readOnlyDir) Unlink(path string) sys.Errno             { return refuseRemoval(d.dir.Lstat(path)) }
func (d *readOnlyDir) Rmdir(path string) sys.Errno              { return refuseRemoval(d.dir.Lstat(path)) }
func (d *readOnlyDir) Mkdir(path string, _ fsMode) sys.Errno    { return refuseMaking(d.dir.Lstat(path)) }

func (d *readOnlyDir) OpenFile(path string, flag sys.Oflag, _ fsMode) (File, sys.Errno) {
	name, mustDir, errno := parsePath(path)
	if errno != 0 {
		return nil, errno
	}
	if writes(flag) {
		return nil, d.refuse(name, flag)
	}
	f, st, errno := d.openHost(name, flag, mustDir, 0)
	switch {
	case errno == sys.ENOENT && d.derive != nil && !mustDir && flag&sys.O_DIRECTORY == 0:
		return d.derived(name)
	case errno != 0:
		return nil, errno
	case st.Mode.IsDir():
		return &hostDir{f: f, ino: st.Ino}, 0
	}
	return &hostFile{f: f, id: idOf(st), flag: flag, shared: d.shared}, 0
}

func readOnlyStat(st stat, errno sys.Errno) (stat, sys.Errno) {
	st.Mode = readOnlyMode(st.Mode)
	return st, errno
}

// refuse finds the error that open(2) of a read-only file system would give.
func (d *readOnlyDir) refuse(name string, flag sys.Oflag) sys.Errno {
	info, err := d.root.Stat(name)
	switch errno := errnoOf(err); {
	case errno == sys.ENOENT && flag&sys.O_CREAT != 0:
		return sys.EROFS
	case errno != 0:
		return errno
	case flag&sys.O_CREAT != 0 && flag&sys.O_EXCL != 0:
		return sys.EEXIST
	case info.IsDir():
		return sys.EISDIR
	}
	return sys.EROFS
}

// timeOf is a time of Utimens: the zero time leaves the file's as it is.
func timeOf(nanos int64) time.Time {
	if nanos == sys.UTIME_OMIT {
		return time.Time{}
	}
	return time.Unix(0, nanos)
}

// control calls do with the descriptor of f, which stays open meanwhile.
func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if raw.Control(func(fd uintptr) { result = do(int(fd)) }) != nil {
		return fs.ErrClosed // its only error
	}
	return result
}
