package wasi

import (
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Quota bounds what one tenant keeps in one directory. All the file systems that WritableDir makes with the same Quota
// share it, and with it the locks that make their changes atomic towards each other.
//
// Bytes are the sizes of the regular files as a guest sees them: a hole in a sparse file counts like any other byte,
// which makes a truncate to 1<<40 fail instead of succeed for free. Every file and directory below the root counts as
// one file; the directories' own blocks are not counted, so that a disk needs up to a block more for each file than
// the bytes say. A file that was removed while it is open counts until it is closed.
//
// The directory belongs to the guests while the Quota is in use: what others change in it is noticed when the next
// Quota is made for it, not before.
type Quota struct {
	maxBytes int64
	maxFiles int64

	// names serialises whatever adds, removes or moves a name, or learns of a file: it is held while the kernel does
	// it. It is taken before an inode's lock, never after.
	names sync.Mutex
	root  os.FileInfo // of the directory; nil until the first WritableDir
	users int         // WritableDirs that are not closed
	open  map[fileID]*inode

	// usage is the innermost lock.
	usage sync.Mutex
	bytes int64
	files int64
}

// NewQuota returns a quota on bytes and on files and directories. WritableDir refuses one that is not positive; for no
// limit use the largest number.
func NewQuota(maxBytes int64, maxFiles int) *Quota {
	return &Quota{maxBytes: maxBytes, maxFiles: int64(maxFiles), open: make(map[fileID]*inode)}
}

// Usage returns the bytes and the number of files and directories that are in use now.
func (q *Quota) Usage() (bytes, files int64) {
	q.usage.Lock()
	defer q.usage.Unlock()
	return q.bytes, q.files
}

// reserve takes bytes and files, or neither and answers ENOSPC. Giving back (negative numbers) always succeeds, also
// for a directory which holds more than the quota, as after the quota was lowered.
func (q *Quota) reserve(bytes, files int64) sys.Errno {
	q.usage.Lock()
	defer q.usage.Unlock()
	if bytes > 0 && bytes > q.maxBytes-q.bytes || files > 0 && files > q.maxFiles-q.files {
		return ENOSPC
	}
	q.bytes = max(q.bytes+bytes, 0)
	q.files = max(q.files+files, 0)
	return 0
}

// attach binds the quota to a directory and counts what is there, the first time.
func (q *Quota) attach(root *os.Root) error {
	if q.maxBytes <= 0 || q.maxFiles <= 0 {
		return fmt.Errorf("wasi: a quota of %d bytes and %d files: both must be positive", q.maxBytes, q.maxFiles)
	}
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	q.names.Lock()
	defer q.names.Unlock()
	switch {
	case q.root != nil && os.SameFile(q.root, info):
		q.users++
		return nil
	case q.users > 0:
		return fmt.Errorf("wasi: the quota is in use for another directory than %s: make a second one", root.Name())
	}
	bytes, files, err := usageBelow(root)
	if err != nil {
		return err
	}
	q.root, q.users, q.bytes, q.files = info, 1, bytes, files
	return nil
}

// detach ends an attach. What the quota counts stays: the same directory is not counted again, another one in its place
// is.
func (q *Quota) detach() {
	q.names.Lock()
	defer q.names.Unlock()
	q.users--
}

// usageBelow counts what is below root, a file with several names once.
func usageBelow(root *os.Root) (bytes, files int64, err error) {
	linked := make(map[fileID]bool)
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		files++
		if !entry.Type().IsRegular() {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		st := statOf(info)
		if st.Nlink > 1 && linked[idOf(st)] {
			return nil
		}
		linked[idOf(st)] = st.Nlink > 1
		bytes += st.Size
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("wasi: counting what is in %s: %w", root.Name(), err)
	}
	return bytes, files, nil
}

// fileID tells files of the host apart, across what is mounted below the directory.
type fileID struct{ dev, ino uint64 }

func idOf(st stat) fileID { return fileID{st.Dev, st.Ino} }

// inode is one file that some instance has open, by whatever name. Its lock is held while its size may change, so that
// two instances which write past the end at once do not both pay for the same bytes, or neither.
type inode struct {
	mu      sync.Mutex
	id      fileID
	refs    int   // open files; guarded by Quota.names
	removed bool  // its last name is gone, and the last Close gives back what it counted for; guarded by Quota.names
	size    int64 // guarded by mu
}

// acquire registers an open file. Quota.names is held.
func (q *Quota) acquire(st stat) *inode {
	id := idOf(st)
	node := q.open[id]
	if node == nil {
		node = &inode{id: id, size: st.Size}
		q.open[id] = node
	}
	node.refs++
	return node
}

func (q *Quota) release(node *inode) {
	q.names.Lock()
	defer q.names.Unlock()
	node.refs--
	if node.refs > 0 {
		return
	}
	delete(q.open, node.id)
	if node.removed {
		q.reserve(-node.size, -1)
	}
}

// forget accounts for the name of st having been removed or replaced. Quota.names is held.
func (q *Quota) forget(st stat) {
	last := st.Mode.IsRegular() && st.Nlink <= 1
	node := q.open[idOf(st)]
	switch {
	case last && node != nil:
		node.removed = true
	case last:
		q.reserve(-st.Size, -1)
	default:
		q.reserve(0, -1)
	}
}

// resize makes room for a file to become size bytes long, does the change and keeps what it really came to. The lock
// of node is held.
func (q *Quota) resize(node *inode, size int64, change func() (now int64, errno sys.Errno)) sys.Errno {
	before, reserved := node.size, max(size-node.size, 0)
	if errno := q.reserve(reserved, 0); errno != 0 {
		return errno
	}
	now, errno := change()
	node.size = now
	q.reserve(now-before-reserved, 0)
	return errno
}
