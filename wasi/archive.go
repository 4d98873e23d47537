package wasi

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"math"
	"strings"

	"github.com/tetratelabs/wazero/experimental/sys"
)

const (
	// maxArchiveFile bounds what one file of an archive may inflate to.
	maxArchiveFile = 64 << 20
	// archiveCache bounds the inflated bytes that are kept although nobody has the file open.
	archiveCache = 8 << 20
)

// Archive returns the tree in a zip file, read-only and the same for everybody: it is safe for concurrent use and
// opened once for all instances. A directory without an entry of its own is implied by what lies in it. Numbers of
// files and the order of directories follow the archive, so that every process sees the same ones; an implied
// directory is as old as the youngest thing in it.
//
// The index is built here; content is inflated when a file is first read, checked against its CRC, shared by those
// who have it open, and kept for a while in a cache of 8 MiB. Stored files (method 0) are read in place, unchecked.
//
// An archive with a name that is not a clean relative path, with a name that occurs twice, with a file that is also a
// directory, with a link or a device, or with a file above 64 MiB is refused.
func Archive(r *zip.Reader) (FS, error) {
	a := &archive{nodes: make(map[string]*archiveNode, 2*len(r.File)), cache: newContentCache(archiveCache)}
	a.nodes["."] = &archiveNode{mode: fs.ModeDir | readOnlyFolder, ino: 1}
	for _, entry := range r.File {
		if err := a.add(entry); err != nil {
			return nil, err
		}
	}
	return a, nil
}

type archive struct {
	readOnlyFS
	nodes map[string]*archiveNode // by clean path
	cache *contentCache
}

// archiveNode does not change after Archive has returned.
type archiveNode struct {
	entry    *zip.File // nil for an implied directory
	mode     fsMode
	size     int64
	mtim     int64
	ino      uint64
	parent   *archiveNode // nil for the root
	children []sys.Dirent // of a directory, in the archive's order
}

func (n *archiveNode) stat() stat {
	return stat{
		Ino: n.ino, Mode: n.mode, Nlink: 1, Size: n.size,
		Atim: n.mtim, Mtim: n.mtim, Ctim: n.mtim,
	}
}

func (a *archive) add(entry *zip.File) error {
	name, _, errno := parsePath(entry.Name)
	isDir := strings.HasSuffix(entry.Name, "/")
	switch {
	case errno != 0 || name == "." || strings.TrimSuffix(entry.Name, "/") != name:
		return fmt.Errorf("wasi: the archive's entry %q is not a clean relative path", entry.Name)
	case entry.Mode()&(fs.ModeType&^fs.ModeDir) != 0:
		return fmt.Errorf("wasi: the archive's entry %q is neither a file nor a directory", entry.Name)
	case entry.UncompressedSize64 > maxArchiveFile:
		return fmt.Errorf("wasi: the archive's entry %q has %d bytes, above the limit of %d",
			entry.Name, entry.UncompressedSize64, maxArchiveFile)
	}
	n := &archiveNode{entry: entry, mode: readOnlyFile, size: int64(entry.UncompressedSize64), mtim: entryTime(entry)}
	switch {
	case isDir:
		n.mode, n.size = fs.ModeDir|readOnlyFolder, 0
	case entry.Mode()&ownerSearch != 0:
		n.mode = readOnlyFolder
	}
	return a.insert(name, n)
}

// entryTime survives a year that nanoseconds cannot hold.
func entryTime(entry *zip.File) int64 {
	t := entry.Modified
	if s := t.Unix(); s < 0 || s > math.MaxInt64/1_000_000_000-1 {
		return 0
	}
	return t.UnixNano()
}

func (a *archive) insert(name string, n *archiveNode) error {
	if old := a.nodes[name]; old != nil {
		if old.entry != nil || !n.mode.IsDir() {
			return fmt.Errorf("wasi: the archive's entry %q occurs twice", name)
		}
		old.entry, old.mtim = n.entry, n.mtim // it was implied until now
		return nil
	}
	dir, base := splitPath(name)
	parent, err := a.directory(dir)
	if err != nil {
		return err
	}
	n.ino = uint64(len(a.nodes)) + 1
	a.nodes[name] = n
	parent.children = append(parent.children, sys.Dirent{Name: base, Type: n.mode.Type(), Ino: n.ino})
	for n.parent = parent; parent != nil && parent.entry == nil; parent = parent.parent {
		parent.mtim = max(parent.mtim, n.mtim)
	}
	return nil
}

// directory returns the directory at name, which it makes if need be.
func (a *archive) directory(name string) (*archiveNode, error) {
	n := a.nodes[name]
	if n == nil {
		n = &archiveNode{mode: fs.ModeDir | readOnlyFolder}
		if err := a.insert(name, n); err != nil {
			return nil, err
		}
	}
	if !n.mode.IsDir() {
		return nil, fmt.Errorf("wasi: the archive's file %q is also a directory", name)
	}
	return n, nil
}

func (a *archive) find(path string) (*archiveNode, sys.Errno) {
	name, dir, errno := parsePath(path)
	if errno != 0 {
		return nil, errno
	}
	n := a.nodes[name]
	switch {
	case n == nil:
		return nil, a.missing(name)
	case dir && !n.mode.IsDir():
		return nil, sys.ENOTDIR
	}
	return n, 0
}

// missing tells a name below a file (ENOTDIR) from one that merely is not there.
func (a *archive) missing(name string) sys.Errno {
	for name != "." {
		name, _ = splitPath(name)
		if n := a.nodes[name]; n != nil {
			if n.mode.IsDir() {
				return sys.ENOENT
			}
			return sys.ENOTDIR
		}
	}
	return sys.ENOENT
}

func (a *archive) Stat(path string) (stat, sys.Errno) {
	n, errno := a.find(path)
	if errno != 0 {
		return stat{}, errno
	}
	return n.stat(), 0
}

func (a *archive) Lstat(path string) (stat, sys.Errno) { return a.Stat(path) }

func (a *archive) Unlink(path string) sys.Errno          { return refuseRemoval(a.Lstat(path)) }
func (a *archive) Rmdir(path string) sys.Errno           { return refuseRemoval(a.Lstat(path)) }
func (a *archive) Mkdir(path string, _ fsMode) sys.Errno { return refuseMaking(a.Lstat(path)) }

func (a *archive) Readlink(path string) (string, sys.Errno) {
	if _, errno := a.find(path); errno != 0 {
		return "", errno
	}
	return "", sys.EINVAL
}

func (a *archive) OpenFile(path string, flag sys.Oflag, _ fsMode) (File, sys.Errno) {
	n, errno := a.find(path)
	switch {
	case errno == 0 && flag&sys.O_CREAT != 0 && flag&sys.O_EXCL != 0:
		return nil, sys.EEXIST
	case errno == sys.ENOENT && flag&sys.O_CREAT != 0:
		return nil, sys.EROFS
	case errno != 0:
		return nil, errno
	case n.mode.IsDir():
		return openArchiveDir(n, flag)
	case flag&sys.O_DIRECTORY != 0:
		return nil, sys.ENOTDIR
	case writes(flag &^ sys.O_CREAT):
		return nil, sys.EROFS
	}
	return &archiveFile{archive: a, node: n}, 0
}

func openArchiveDir(n *archiveNode, flag sys.Oflag) (File, sys.Errno) {
	if writes(flag) {
		return nil, sys.EISDIR
	}
	return &archiveDir{node: n}, 0
}
