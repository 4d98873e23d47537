package tenants

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wasgi/wasgi/tenants/byfolder"
)

// Digest is a SHA-256 over content.
type Digest [sha256.Size]byte

// String is the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ignoredFolder names what is in an application's folder and no part of it.
func ignoredFolder(name string) bool {
	switch name {
	case ".git", ".hg", ".svn", "__pycache__", ".venv", "venv", "node_modules", ".tox", ".nox",
		".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode", ".eggs":
		return true
	}
	return false
}

// Ignored says whether a path, relative to an application's folder and with
// slashes, is no part of the application: Fingerprint leaves it out.
func Ignored(name string) bool {
	if strings.HasSuffix(name, ".pyc") {
		return true
	}
	for segment := range strings.SplitSeq(name, "/") {
		if ignoredFolder(segment) {
			return true
		}
	}
	return false
}

// maxApplication and maxApplicationFiles bound an application's folder: all of
// it is read at each change.
const (
	maxApplication      = 8 << 30 // bytes
	maxApplicationFiles = 500_000
)

// Fingerprint digests an application's folder: path, kind, size and content of
// every file, and the target of every link (links are not followed). Version
// control, byte code, virtual environments and caches are left out, and so is
// what skip names: paths relative to dir, with slashes, for data that changes
// while the application serves. A folder above 8 GiB or 500,000 files is an
// error.
func Fingerprint(dir string, skip ...string) (Digest, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Digest{}, err
	}
	defer root.Close()
	h := newHasher()
	err = walk(root, skip, func(in *os.Root, name string, e fs.DirEntry) error {
		if err := h.entry(in, name, e); err != nil {
			return err
		}
		if h.files++; h.bytes > maxApplication || h.files > maxApplicationFiles {
			return fmt.Errorf("%s has more than %d bytes or %d files: what is no part of the application belongs elsewhere", dir, maxApplication, maxApplicationFiles)
		}
		return nil
	})
	return Digest(h.sum.Sum(nil)), err
}

// hasher digests one folder.
type hasher struct {
	sum, content hash.Hash // of the folder, and of one file
	buffer       []byte
	bytes, files int64
}

func newHasher() *hasher {
	return &hasher{sum: sha256.New(), content: sha256.New(), buffer: make([]byte, 64<<10)}
}

// entry adds one file. Lengths stand before what varies, so that no two folders
// give the same bytes.
func (h *hasher) entry(in *os.Root, name string, e fs.DirEntry) error {
	writeText(h.sum, name)
	switch {
	case e.IsDir():
		writeText(h.sum, "folder")
	case e.Type()&fs.ModeSymlink != 0:
		target, err := in.Readlink(path.Base(name))
		writeText(h.sum, "link")
		writeText(h.sum, target)
		return err
	case e.Type().IsRegular():
		return h.file(in, path.Base(name))
	default:
		writeText(h.sum, "special")
	}
	return nil
}

// file reads one within what is left of the limit.
func (h *hasher) file(in *os.Root, name string) error {
	f, err := in.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h.content.Reset()
	// LimitedReader hides the file's WriteTo, which would make a buffer of its own.
	n, err := io.CopyBuffer(h.content, io.LimitReader(f, maxApplication-h.bytes+1), h.buffer)
	if h.bytes += n; err != nil {
		return err
	}
	writeText(h.sum, "file")
	writeText(h.sum, string(h.content.Sum(nil)))
	return nil
}

// writeText adds a length and a text. A hash's Write never fails.
func writeText(sum io.Writer, s string) {
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(s)))
	_, _ = sum.Write(length[:])
	_, _ = io.WriteString(sum, s)
}

// walk visits what belongs to an application, in order of path. Files that
// vanish meanwhile are passed over.
func walk(root *os.Root, skip []string, visit byfolder.Visitor) error {
	return byfolder.Walk(root, func(in *os.Root, name string, e fs.DirEntry) error {
		switch {
		case e.IsDir() && (ignoredFolder(e.Name()) || slices.Contains(skip, name)):
			return fs.SkipDir
		case strings.HasSuffix(name, ".pyc"), slices.Contains(skip, name):
			return nil
		}
		if err := visit(in, name, e); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// Stamp is what stat says of every file of an application: enough to notice a
// change without reading.
type Stamp map[string]fileStamp

type fileStamp struct {
	size     int64
	modified time.Time
	mode     fs.FileMode
}

// TakeStamp looks at the files that Fingerprint reads.
func TakeStamp(dir string, skip ...string) (Stamp, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	stamp := Stamp{}
	err = walk(root, skip, func(in *os.Root, name string, _ fs.DirEntry) error {
		info, err := in.Lstat(path.Base(name))
		if err != nil {
			return err
		}
		s := fileStamp{info.Size(), info.ModTime(), info.Mode()}
		if info.IsDir() {
			s = fileStamp{mode: info.Mode()} // what is in it is stamped itself
		}
		stamp[name] = s
		return nil
	})
	return stamp, err
}

// Changed lists the paths that differ between two stamps, sorted.
func (s Stamp) Changed(now Stamp) []string {
	var out []string
	for name, was := range s {
		if is, ok := now[name]; !ok || !was.equal(is) {
			out = append(out, name)
		}
	}
	for name := range maps.Keys(now) {
		if _, ok := s[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (a fileStamp) equal(b fileStamp) bool {
	return a.size == b.size && a.mode == b.mode && a.modified.Equal(b.modified)
}
