package wasi

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// WritableDir returns a directory of the host that guests may read and write under a quota, which must not be nil. It
// is safe for concurrent use, by any number of instances and file systems with the same Quota; it implements
// io.Closer. The first one for a Quota walks the directory to count what is there.
//
// Symbolic links and what else the operator put there are treated as ReadOnlyDir does. Guests create regular files
// and directories only, of the mode they ask for, less the process's umask, as any process would; their owner can read
// them always, so that the host can. They can neither remove nor rename the root (EBUSY).
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
	ended sync.Once
}

// Close closes the directory and leaves its quota to others. Files that are open stay so.
func (d *writableDir) Close() error {
	d.ended.Do(d.quota.detach)
	return d.dir.Close()
}

// The methods that both halves have.
func (d *writableDir) Stat(path string) (stat, sys.Errno)       { return writableStat(d.dir.Stat(path)) }
func (d *writableDir) Lstat(path string) (stat, sys.Errno)      { return writableStat(d.dir.Lstat(path)) }
func (d *writableDir) Readlink(path string) (string, sys.Errno) { return d.dir.Readlink(path) }

func (d *writableDir) Link(string, string) sys.Errno    { return sys.EPERM }
func (d *writableDir) Symlink(string, string) sys.Errno { return sys.EPERM }

func (d *writableDir) OpenFile(path string, flag sys.Oflag, perm fsMode) (File, sys.Errno) {
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
	f, st, errno := d.openCounted(name, flag, mustDir, perm)
	if errno != 0 {
		d.quota.names.Unlock()
		return nil, errno
	}
	if st.Mode.IsDir() {
		d.quota.names.Unlock()
		return &hostDir{f: f, ino: st.Ino, writable: true}, 0
	}
	file := &hostFile{f: f, id: idOf(st), dir: &d.dir, name: name, flag: flag, append: flag&sys.O_APPEND != 0, quota: d.quota}
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
func (d *writableDir) openCounted(name string, flag sys.Oflag, mustDir bool, perm fsMode) (*os.File, stat, sys.Errno) {
	if flag&sys.O_CREAT == 0 {
		return d.openPermitted(name, flag, mustDir)
	}
	if flag&sys.O_EXCL == 0 {
		f, st, errno := d.openPermitted(name, flag&^sys.O_CREAT, mustDir)
		if errno == 0 && st.Mode.IsDir() {
			_ = f.Close()
			errno = sys.EISDIR
		}
		if errno != sys.ENOENT {
			return f, st, errno
		}
	}
	if errno := d.reserveName(name); errno != 0 {
		if _, err := d.root.Lstat(name); err == nil {
			return nil, stat{}, sys.EEXIST
		}
		return nil, stat{}, errno
	}
	f, st, errno := d.openHost(name, truncating(flag)|sys.O_EXCL, mustDir, perm)
	switch {
	case errno != 0:
		d.quota.reserve(0, -1)
	case perm&ownerRead == 0:
		_ = chmodHost(f, perm, false) // os.Root makes no file with the bit that notes it
	}
	return f, st, errno
}

// openPermitted opens what is there, if its mode lets the guest.
func (d *writableDir) openPermitted(name string, flag sys.Oflag, mustDir bool) (*os.File, stat, sys.Errno) {
	f, st, errno := d.openHost(name, truncating(flag), mustDir, 0)
	if seen, _ := writableStat(st, 0); errno == 0 && seen.Mode.IsRegular() {
		errno = permits(seen.Mode, flag)
	}
	if errno != 0 && f != nil {
		_ = f.Close()
		f = nil
	}
	return f, st, errno
}

// reserveName takes a file from the quota, if one may be made there.
func (d *writableDir) reserveName(name string) sys.Errno {
	if errno := d.mayChange(name); errno != 0 {
		return errno
	}
	return d.quota.reserve(0, 1)
}

// truncating adds the right to write that a truncate needs; hostFile.flag keeps the guest from writing.
func truncating(flag sys.Oflag) sys.Oflag {
	if flag&sys.O_TRUNC != 0 && !canWrite(flag) {
		flag |= sys.O_RDWR
	}
	return flag
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
	if errno := d.reserveName(name); errno != 0 {
		return errno
	}
	if err := d.root.Mkdir(name, perm.Perm()|hostNeeds(true)); err != nil {
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
	if errno := cmp.Or(d.mayChange(name), check(st, mustDir)); errno != 0 {
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
	if errno := cmp.Or(d.mayChange(source), d.mayChange(target), d.checkDepth(source, target, info)); errno != 0 {
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
	return errnoOf(walkDepth(d.root, source, MaxDepth-1-to))
}

// walkStride is how many names walkDepth goes down by path: each costs an open for every name above it.
const walkStride = 8

// walkDepth fails when something lies more than room names below start.
func walkDepth(root *os.Root, start string, room int) error {
	base := strings.Count(start, "/")
	if start == "." {
		base = -1
	}
	return fs.WalkDir(root.FS(), start, func(name string, entry fs.DirEntry, err error) error {
		depth := strings.Count(name, "/") - base
		switch {
		case err != nil || name == start:
			return err
		case depth > room:
			return syscall.ENAMETOOLONG
		case depth < walkStride || !entry.IsDir():
			return nil
		}
		below, err := root.OpenRoot(name)
		if err != nil {
			return err
		}
		defer func() { _ = below.Close() }()
		if err := walkDepth(below, ".", room-depth); err != nil {
			return err
		}
		return fs.SkipDir
	})
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
