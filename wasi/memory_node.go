package wasi

import (
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// memoryBlock is the unit in which Memory allocates and counts, in bytes.
const memoryBlock = 4 << 10

type block = [memoryBlock]byte

// memoryNode is a file or a directory. Everything in it is guarded by fs.mu.
type memoryNode struct {
	fs     *memory
	used   *memoryUsage
	ino    uint64
	mode   fsMode
	parent *memoryNode // nil once it has no name; the root is its own
	opens  int

	children map[string]*memoryNode // of a directory
	sorted   []sys.Dirent           // children by name; nil when somebody has to sort them again
	blocks   []*block               // of a file; nil is a hole
	size     int64

	atim, mtim, ctim int64
}

func (n *memoryNode) stat() stat {
	st := stat{Ino: n.ino, Mode: n.mode, Nlink: 1, Size: n.size, Atim: n.atim, Mtim: n.mtim, Ctim: n.ctim}
	if n.parent == nil {
		st.Nlink = 0
	}
	return st
}

// put and drop change the children of a directory.
func (n *memoryNode) put(name string, child *memoryNode) {
	n.children[name], n.sorted = child, nil
	n.touch()
}

func (n *memoryNode) drop(name string) {
	delete(n.children, name)
	n.sorted = nil
	n.touch()
}

// entries returns the directory's entries as they are now, sorted by name. They belong to the node.
func (n *memoryNode) entries() []sys.Dirent {
	if n.sorted != nil {
		return n.sorted
	}
	n.sorted = make([]sys.Dirent, 0, len(n.children))
	for name, child := range n.children {
		n.sorted = append(n.sorted, sys.Dirent{Ino: child.ino, Name: name, Type: child.mode.Type()})
	}
	slices.SortFunc(n.sorted, func(a, b sys.Dirent) int { return strings.Compare(a.Name, b.Name) })
	return n.sorted
}

func (n *memoryNode) touch() {
	now := time.Now().UnixNano()
	n.mtim, n.ctim = now, now
}

func (n *memoryNode) setTimes(atim, mtim int64) {
	if atim != sys.UTIME_OMIT {
		n.atim = atim
	}
	if mtim != sys.UTIME_OMIT {
		n.mtim = mtim
	}
	n.ctim = time.Now().UnixNano()
	n.used.root = n.used.root || n.parent == n
}

// above tells whether n is other or a directory above it.
func (n *memoryNode) above(other *memoryNode) bool {
	for ; other != nil; other = other.parent {
		if other == n {
			return true
		}
		if other.parent == other {
			return false
		}
	}
	return false
}

// depth is the number of names in the path of n.
func (n *memoryNode) depth() int {
	depth := 0
	for ; n.parent != nil && n.parent != n; n = n.parent {
		depth++
	}
	return depth
}

// height is the number of names in the longest path below n; MaxDepth bounds it, and so the recursion.
func (n *memoryNode) height() int {
	height := 0
	for _, child := range n.children {
		height = max(height, 1+child.height())
	}
	return height
}

// reap gives back what a node holds that nobody can reach any more.
func (n *memoryNode) reap() {
	if n.parent != nil || n.opens > 0 {
		return
	}
	n.used.files--
	n.used.blocks -= int64(len(n.blocks))
	n.used.keep(n.blocks)
	n.blocks, n.size = nil, 0
}

func blocksFor(size int64) int64 { return (size + memoryBlock - 1) / memoryBlock }

// truncate makes the file size bytes long, counting its blocks before it allocates their table.
func (n *memoryNode) truncate(size int64) sys.Errno {
	if size > n.fs.maxBytes {
		return ENOSPC
	}
	have, want := int64(len(n.blocks)), blocksFor(size)
	if want > have && want-have > n.fs.maxBytes/memoryBlock-n.used.blocks {
		return ENOSPC
	}
	n.used.blocks += want - have
	if want < have {
		n.used.keep(n.blocks[want:])
		n.blocks = shorten(n.blocks, want)
	} else {
		n.blocks = append(n.blocks, make([]*block, want-have)...)
	}
	if tail := size % memoryBlock; size < n.size && tail != 0 && n.blocks[want-1] != nil {
		clear(n.blocks[want-1][tail:])
	}
	n.size = size
	n.touch()
	return 0
}

// shorten drops the table of a longer file with its blocks: nobody counts it, and many empty files with long tables would
// hold as much as the file system may.
func shorten(blocks []*block, want int64) []*block {
	switch {
	case want == 0:
		return nil
	case 2*want < int64(len(blocks)):
		return append(make([]*block, 0, want), blocks[:want]...)
	}
	clear(blocks[want:])
	return blocks[:want]
}

// write writes all of buf at off or, when there is no room, nothing.
func (n *memoryNode) write(buf []byte, off int64) (int, sys.Errno) {
	end := off + int64(len(buf))
	if end < off {
		return 0, EFBIG
	}
	if end > n.size {
		if errno := n.truncate(end); errno != 0 {
			return 0, errno
		}
	}
	for rest := buf; len(rest) > 0; {
		i := off / memoryBlock
		if n.blocks[i] == nil {
			n.blocks[i] = n.used.block()
		}
		written := copy(n.blocks[i][off%memoryBlock:], rest)
		rest = rest[written:]
		off += int64(written)
	}
	n.touch()
	return len(buf), 0
}

func (n *memoryNode) read(buf []byte, off int64) int {
	if off >= n.size {
		return 0
	}
	buf = buf[:min(int64(len(buf)), n.size-off)]
	for rest := buf; len(rest) > 0; {
		start := off % memoryBlock
		part := rest[:min(int64(len(rest)), memoryBlock-start)]
		if b := n.blocks[off/memoryBlock]; b != nil {
			copy(part, b[start:])
		} else {
			clear(part)
		}
		rest = rest[len(part):]
		off += int64(len(part))
	}
	return len(buf)
}
