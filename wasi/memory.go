package wasi

import (
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Memory returns an empty file system in memory, such as the /tmp of one instance. It has regular files and
// directories, no links, and keeps POSIX's promises: a file that was removed lives until it is closed, a directory may
// change while it is read.
//
// maxBytes bounds the sizes of the files, each rounded up to whole blocks of 4 KiB and holes included, counted before
// anything is allocated; so no file is longer either. maxFiles bounds the files and directories. Above them is ENOSPC.
// Removed files count until they are closed. It is safe for concurrent use.
//
// The result has a method Reset, which empties it; Sandbox.Reset calls it.
func Memory(maxBytes int64, maxFiles int) FS {
	m := &memory{maxBytes: maxBytes, maxFiles: maxFiles}
	m.Reset()
	return m
}

type memory struct {
	sys.UnimplementedFS
	maxBytes int64
	maxFiles int

	mu   sync.Mutex
	root *memoryNode
	// used is replaced by Reset, so that what is still open then gives its bytes back to nobody.
	used *memoryUsage
}

// memoryUsage is guarded by memory.mu, and so are nodes and open files.
type memoryUsage struct {
	blocks  int64
	files   int
	lastIno uint64
	root    bool // somebody set the times of the root
	// spare blocks are used again before new ones are made: a guest that writes
	// and removes would otherwise leave garbage faster than the collector finds it.
	spare []*block
}

// keep takes blocks that nobody can reach any more.
func (u *memoryUsage) keep(blocks []*block) {
	for _, b := range blocks {
		if b != nil {
			u.spare = append(u.spare, b)
		}
	}
}

// block returns an empty one.
func (u *memoryUsage) block() *block {
	last := len(u.spare) - 1
	if last < 0 {
		return new(block)
	}
	b := u.spare[last]
	u.spare[last], u.spare = nil, u.spare[:last]
	clear(b[:])
	return b
}

// Reset removes everything. What is open stays open, as if it had been removed.
func (m *memory) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used != nil && m.used.lastIno == m.root.ino && !m.used.root {
		return // nothing was ever made in it
	}
	m.used = &memoryUsage{}
	m.root = m.newNode(fs.ModeDir | 0o777)
	m.root.parent = m.root
}

// nodeCost is what a file or directory takes beside its blocks, in bytes: the node, its name, its entry in a map.
const nodeCost = 512

// InUse is the number of bytes that are counted against maxBytes, of those that are kept for later (at most maxBytes of
// both are there), and what the files and directories themselves take.
func (m *memory) InUse() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return min((m.used.blocks+int64(len(m.used.spare)))*memoryBlock, m.maxBytes) + int64(m.used.files)*nodeCost
}

func (m *memory) newNode(mode fsMode) *memoryNode {
	m.used.lastIno++
	now := time.Now().UnixNano()
	n := &memoryNode{fs: m, used: m.used, ino: m.used.lastIno, mode: mode, atim: now, mtim: now, ctim: now}
	if mode.IsDir() {
		n.children = make(map[string]*memoryNode)
	}
	return n
}

// find returns the node at a path that parsePath has cleaned.
func (m *memory) find(name string) (*memoryNode, sys.Errno) {
	n := m.root
	if name == "." {
		return n, 0
	}
	for part := range strings.SplitSeq(name, "/") {
		if !n.mode.IsDir() {
			return nil, sys.ENOTDIR
		}
		if errno := n.may(ownerSearch); errno != 0 {
			return nil, errno
		}
		if n = n.children[part]; n == nil {
			return nil, sys.ENOENT
		}
	}
	return n, 0
}

// at finds the node of a path, which has to be a directory's when the path is for
// directories only. m.mu is held.
func (m *memory) at(path string) (*memoryNode, sys.Errno) {
	name, dir, errno := parsePath(path)
	if errno != 0 {
		return nil, errno
	}
	n, errno := m.find(name)
	switch {
	case errno != 0:
		return nil, errno
	case dir && !n.mode.IsDir():
		return nil, sys.ENOTDIR
	}
	return n, 0
}

// place is a name in a directory, with or without a node.
type place struct {
	parent *memoryNode
	name   string
	node   *memoryNode // nil when there is none
}

// locate finds where path is or would be. The root has no such place: EBUSY.
func (m *memory) locate(path string) (place, sys.Errno) {
	name, dir, errno := parsePath(path)
	if errno != 0 {
		return place{}, errno
	}
	return m.locateName(name, dir)
}

// locateName is locate for a path that parsePath has taken apart. dir refuses what is there and no directory.
func (m *memory) locateName(name string, dir bool) (place, sys.Errno) {
	if name == "." {
		return place{}, EBUSY
	}
	parentName, base := splitPath(name)
	parent, errno := m.find(parentName)
	switch {
	case errno != 0:
		return place{}, errno
	case !parent.mode.IsDir():
		return place{}, sys.ENOTDIR
	case parent.may(ownerSearch) != 0:
		return place{}, sys.EACCES
	}
	at := place{parent, base, parent.children[base]}
	if at.node != nil && dir && !at.node.mode.IsDir() {
		return place{}, sys.ENOTDIR
	}
	return at, 0
}

// create puts a new node at a free place.
func (m *memory) create(at place, mode fsMode) (*memoryNode, sys.Errno) {
	if errno := at.parent.may(ownerWrite); errno != 0 {
		return nil, errno
	}
	if m.used.files >= m.maxFiles {
		return nil, ENOSPC
	}
	m.used.files++
	n := m.newNode(mode)
	m.attach(at, n)
	return n, 0
}

func (m *memory) attach(at place, n *memoryNode) {
	at.parent.put(at.name, n)
	n.parent = at.parent
}

// detach takes the name away. The node's bytes go with its last open file.
func (m *memory) detach(at place) {
	at.parent.drop(at.name)
	at.node.parent = nil
	at.node.reap()
}

func (m *memory) Stat(path string) (stat, sys.Errno) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, errno := m.at(path)
	if errno != 0 {
		return stat{}, errno
	}
	return n.stat(), 0
}

func (m *memory) Lstat(path string) (stat, sys.Errno) { return m.Stat(path) }

func (m *memory) Readlink(path string) (string, sys.Errno) {
	if _, errno := m.Stat(path); errno != 0 {
		return "", errno
	}
	return "", sys.EINVAL
}

func (m *memory) Link(string, string) sys.Errno    { return sys.EPERM }
func (m *memory) Symlink(string, string) sys.Errno { return sys.EPERM }

func (m *memory) Mkdir(path string, perm fsMode) sys.Errno {
	name, _, errno := parsePath(path)
	if errno != 0 {
		return errno
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at, errno := m.locateName(name, false)
	switch {
	case errno == EBUSY || errno == 0 && at.node != nil:
		return sys.EEXIST
	case errno != 0:
		return errno
	}
	_, errno = m.create(at, fs.ModeDir|perm.Perm())
	return errno
}

func (m *memory) Rmdir(path string) sys.Errno {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, errno := m.locate(path)
	switch {
	case errno != 0:
		return errno
	case at.node == nil:
		return sys.ENOENT
	case at.parent.may(ownerWrite) != 0:
		return sys.EACCES
	case !at.node.mode.IsDir():
		return sys.ENOTDIR
	case len(at.node.children) > 0:
		return sys.ENOTEMPTY
	}
	m.detach(at)
	return 0
}

func (m *memory) Unlink(path string) sys.Errno {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, errno := m.locate(path)
	switch {
	case errno != 0:
		return errno
	case at.node == nil:
		return sys.ENOENT
	case at.parent.may(ownerWrite) != 0:
		return sys.EACCES
	case at.node.mode.IsDir():
		return sys.EISDIR
	}
	m.detach(at)
	return 0
}

func (m *memory) Rename(from, to string) sys.Errno {
	fromName, fromDir, toName, toDir, errno := parseRename(from, to)
	if errno != 0 {
		return errno
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	source, errno := m.locateName(fromName, false)
	if errno != 0 {
		return errno
	}
	target, errno := m.locateName(toName, false)
	if errno != 0 {
		return errno
	}
	if errno := checkRename(source, target, fromDir || toDir); errno != 0 {
		return errno
	}
	if source.node == target.node {
		return 0
	}
	if target.node != nil {
		m.detach(target)
	}
	source.parent.drop(source.name)
	m.attach(target, source.node)
	return 0
}

// checkRename has rename(2)'s rules, in Linux's order. mustDir says that one of the paths was for directories only.
func checkRename(source, target place, mustDir bool) sys.Errno {
	switch {
	case source.node == nil:
		return sys.ENOENT
	case source.parent.may(ownerWrite)|target.parent.may(ownerWrite) != 0:
		return sys.EACCES
	case mustDir && !source.node.mode.IsDir():
		return sys.ENOTDIR
	case source.node.above(target.parent):
		return sys.EINVAL
	case target.parent.depth()+1+source.node.height() > MaxDepth:
		return sys.ENAMETOOLONG
	case target.node == nil || target.node == source.node:
		return 0
	case target.node.above(source.parent):
		return sys.ENOTEMPTY
	case source.node.mode.IsDir() && !target.node.mode.IsDir():
		return sys.ENOTDIR
	case !source.node.mode.IsDir() && target.node.mode.IsDir():
		return sys.EISDIR
	case len(target.node.children) > 0:
		return sys.ENOTEMPTY
	}
	return 0
}

func (m *memory) Utimens(path string, atim, mtim int64) sys.Errno {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, errno := m.at(path)
	if errno != 0 {
		return errno
	}
	n.setTimes(atim, mtim)
	return 0
}

func (m *memory) OpenFile(path string, flag sys.Oflag, perm fsMode) (File, sys.Errno) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, errno := m.openNode(path, flag, perm)
	switch {
	case errno != 0:
		return nil, errno
	case n.mode.IsDir():
		return &memoryDir{node: n}, 0
	}
	if flag&sys.O_TRUNC != 0 {
		if errno := n.truncate(0); errno != 0 {
			return nil, errno
		}
	}
	n.opens++
	return &memoryFile{node: n, flag: flag, append: flag&sys.O_APPEND != 0}, 0
}

func (m *memory) openNode(path string, flag sys.Oflag, perm fsMode) (*memoryNode, sys.Errno) {
	name, dir, errno := parsePath(path)
	if errno != 0 {
		return nil, errno
	}
	create := flag&sys.O_CREAT != 0
	at, errno := m.locateName(name, dir && !create)
	if errno == EBUSY {
		at, errno = place{node: m.root}, 0
	}
	switch {
	case errno != 0:
		return nil, errno
	case create && dir:
		return nil, sys.EISDIR
	case at.node == nil && !create:
		return nil, sys.ENOENT
	case at.node == nil:
		return m.create(at, perm.Perm())
	case create && flag&sys.O_EXCL != 0:
		return nil, sys.EEXIST
	case at.node.mode.IsDir() && writes(flag&^sys.O_APPEND):
		return nil, sys.EISDIR
	case !at.node.mode.IsDir() && flag&sys.O_DIRECTORY != 0:
		return nil, sys.ENOTDIR
	}
	return at.node, permits(at.node.mode, flag)
}
