package wasi

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// WritableDir returns a directory of the host that guests may read and write under a quota, which must not be nil. It
// is safe for concurrent use, by any number of instances and file systems with the same Quota; it implements
// io.Closer. The first one for a Quota walks the directory to count what is there.
//
// Symbolic links and what else the operator put there are treated as ReadOnlyDir does. Guests create regular files
// (mode 0600) and directories (0700) only; they can neither remove nor rename the root (EBUSY).
//
// O_CREAT|O_EXCL, mkdir and rename are the kernel's own, hence atomic between instances, and lock files work.
func WritableDir(path string, q *Quota) (FS, error) {
	if q == nil {
		return nil, errors.New("wasi: a writable directory needs a quota")
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("wasi: opening the directory %s: %w", path, err)
	}
	if err := q.attach(root); err != nil {
		_ = root.Close()
		return nil, err
	}
	return &writableDir{dir: dir{root: root, quota: q}}, nil
}

type writableDir struct {
	sys.UnimplementedFS
	dir
}

// The methods that both halves have.
func (d *writableDir) Stat(path string) (stat, sys.Errno)       { return d.dir.Stat(path) }
func (d *writableDir) Lstat(path string) (stat, sys.Errno)      { return d.dir.Lstat(path) }
func (d *writableDir) Readlink(path string) (string, sys.Errno) { return d.dir.Readlink(path) }

func (d *writableDir) Link(string, string) sys.Errno    { return sys.EPERM }
func (d *writableDir) Symlink(string, string) sys.Errno { return sys.EPERM }

func (d *writableDir) OpenFile(path string, flag sys.Oflag, _ fsMode) (File, sys.Errno) {
	name, mustDir, errno := parsePath(path)
	switch {
	case errno != 0:
		return nil, errno
	case mustDir && flag&sys.O_CREAT != 0:
		parent, _ := splitPath(name)
		if _, errno := d.Stat(parent + "/"); errno != 0 {
			return nil, errno
		}
		return nil, sys.EISDIR
	}
	d.quota.names.Lock()
	f, st, errno := d.openCounted(name, flag, mustDir)
	if errno != 0 {
		d.quota.names.Unlock()
		return nil, errno
	}
	if st.Mode.IsDir() {
		d.quota.names.Unlock()
		return &hostDir{f: f, ino: st.Ino, writable: true}, 0
	}
	file := &hostFile{f: f, ino: st.Ino, flag: flag, append: flag&sys.O_APPEND != 0, quota: d.quota}
	file.node = d.quota.acquire(st)
	d.quota.names.Unlock()
	if flag&sys.O_TRUNC != 0 {
		if errno := file.truncate(0); errno != 0 {
			_ = file.Close()
			return nil, errno
		}
	}
	return file, 0
}

// openCounted opens a file and takes one from the quota if that made it. Whether it did is known by asking for it
// exclusively first. Quota.names is held.
func (d *writableDir) openCounted(name string, flag sys.Oflag, mustDir bool) (*os.File, stat, sys.Errno) {
	if flag&sys.O_TRUNC != 0 && !canWrite(flag) {
		flag |= sys.O_RDWR // the truncate needs it; hostFile.flag keeps the guest from writing
	}
	if flag&sys.O_CREAT == 0 {
		return d.openHost(name, flag, mustDir)
	}
	if flag&sys.O_EXCL == 0 {
		f, st, errno := d.openHost(name, flag&^sys.O_CREAT, mustDir)
		if errno == 0 && st.Mode.IsDir() {
			_ = f.Close()
			errno = sys.EISDIR
		}
		if errno != sys.ENOENT {
			return f, st, errno
		}
	}
	if errno := d.quota.reserve(0, 1); errno != 0 {
		if _, err := d.root.Lstat(name); err == nil {
			return nil, stat{}, sys.EEXIST
		}
		return nil, stat{}, errno
	}
	f, st, errno := d.openHost(name, flag|sys.O_EXCL, mustDir)
	if errno != 0 {
		d.quota.reserve(0, -1)
	}
	return f, st, errno
}

func (d *writableDir) Mkdir(path string, perm fsMode) sys.Errno {
	name, _, errno := parsePath(path)
	if errno != 0 {
		return errno
	}
	d.quota.names.Lock()
	defer d.quota.names.Unlock()
	if _, err := d.root.Lstat(name); err == nil {
		return sys.EEXIST
	}
	if errno := d.quota.reserve(0, 1); errno != 0 {
		return errno
	}
	if err := d.root.Mkdir(name, perm&0o700); err != nil {
		d.quota.reserve(0, -1)
		return errnoOf(err)
	}
	return 0
}

func (d *writableDir) Rmdir(path string) sys.Errno {
	return d.remove(path, func(st stat, _ bool) sys.Errno {
		if !st.Mode.IsDir() {
			return sys.ENOTDIR
		}
		return 0
	})
}

func (d *writableDir) Unlink(path string) sys.Errno {
	return d.remove(path, func(st stat, mustDir bool) sys.Errno {
		switch {
		case st.Mode.IsDir():
			return sys.EISDIR
		case mustDir:
			return sys.ENOTDIR
		}
		return 0
	})
}

func (d *writableDir) remove(path string, check func(st stat, mustDir bool) sys.Errno) sys.Errno {
	name, mustDir, errno := parsePath(path)
	switch {
	case errno != 0:
		return errno
	case name == ".":
		return EBUSY
	}
	d.quota.names.Lock()
	defer d.quota.names.Unlock()
	info, err := d.root.Lstat(name)
	if err != nil {
		return errnoOf(err)
	}
	st := statOf(info)
	if errno := check(st, mustDir); errno != 0 {
		return errno
	}
	if err := d.root.Remove(name); err != nil {
		return errnoOf(err)
	}
	d.quota.forget(st)
	return 0
}

func (d *writableDir) Rename(from, to string) sys.Errno {
	source, sourceDir, target, targetDir, errno := parseRename(from, to)
	if errno != 0 {
		return errno
	}
	d.quota.names.Lock()
	defer d.quota.names.Unlock()
	info, err := d.root.Lstat(source)
	switch {
	case err != nil:
		return errnoOf(err)
	case (sourceDir || targetDir) && !info.IsDir():
		return sys.ENOTDIR
	}
	if errno := d.checkDepth(source, target, info); errno != 0 {
		return errno
	}
	replaced, err := d.root.Lstat(target)
	if err := d.rename(source, target); err != nil {
		return errnoOf(err)
	}
	if err == nil && !os.SameFile(info, replaced) {
		d.quota.forget(statOf(replaced))
	}
	return 0
}

// checkDepth keeps a directory from being moved so deep that parts of it could not be reached any more. Without it a
// guest could pile up a tree as deep as its quota has files, by moves alone, and whoever walks it would suffer. Only a
// move downwards costs a walk.
func (d *writableDir) checkDepth(source, target string, info fs.FileInfo) sys.Errno {
	from, to := strings.Count(source, "/"), strings.Count(target, "/")
	if !info.IsDir() || to <= from {
		return 0
	}
	err := fs.WalkDir(d.root.FS(), source, func(name string, _ fs.DirEntry, err error) error {
		if err == nil && strings.Count(name, "/")-from+to >= MaxDepth {
			return syscall.ENAMETOOLONG
		}
		return err
	})
	return errnoOf(err)
}

// rename is renameat in the two parents, which os.Root has opened and so are inside. Root's own Rename refuses to
// replace an empty directory, which POSIX and Python allow.
func (d *writableDir) rename(source, target string) error {
	sourceDir, sourceName := splitPath(source)
	targetDir, targetName := splitPath(target)
	from, err := d.root.OpenFile(sourceDir, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := d.root.OpenFile(targetDir, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = to.Close() }()
	return control(from, func(fromFD int) error {
		return control(to, func(toFD int) error { return unix.Renameat(fromFD, sourceName, toFD, targetName) })
	})
}

func (d *writableDir) Utimens(path string, atim, mtim int64) sys.Errno {
	name, mustDir, errno := parsePath(path)
	if errno != 0 {
		return errno
	}
	info, err := d.root.Stat(name)
	switch {
	case err != nil:
		return errnoOf(err)
	case mustDir && !info.IsDir():
		return sys.ENOTDIR
	case !info.IsDir() && !info.Mode().IsRegular():
		return sys.EACCES
	}
	return errnoOf(d.root.Chtimes(name, timeOf(atim), timeOf(mtim)))
}

func (d *writableDir) Chmod(string, fs.FileMode) sys.Errno { return sys.ENOSYS }
