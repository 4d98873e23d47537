package tenants

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
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
	sum := sha256.New()
	var bytes, files int64
	err = walk(root, skip, func(name string, e fs.DirEntry) error {
		if e.Type().IsRegular() {
			info, err := e.Info()
			if err != nil {
				return err
			}
			bytes += info.Size()
		}
		if files++; bytes > maxApplication || files > maxApplicationFiles {
			return fmt.Errorf("%s has more than %d bytes or %d files: what is no part of the application belongs elsewhere", dir, maxApplication, maxApplicationFiles)
		}
		return hashEntry(sum, root, name, e)
	})
	return Digest(sum.Sum(nil)), err
}

// hashEntry adds one file. Lengths stand before what varies, so that no two
// folders give the same bytes.
func hashEntry(sum io.Writer, root *os.Root, name string, e fs.DirEntry) error {
	writeText(sum, name)
	switch {
	case e.IsDir():
		writeText(sum, "folder")
	case e.Type()&fs.ModeSymlink != 0:
		target, err := root.Readlink(name)
		writeText(sum, "link")
		writeText(sum, target)
		return err
	case e.Type().IsRegular():
		return hashFile(sum, root, name)
	default:
		writeText(sum, "special")
	}
	return nil
}

func hashFile(sum io.Writer, root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	content := sha256.New()
	if _, err := io.Copy(content, f); err != nil {
		return err
	}
	writeText(sum, "file")
	writeText(sum, string(content.Sum(nil)))
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
func walk(root *os.Root, skip []string, visit func(string, fs.DirEntry) error) error {
	return fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name != "." {
			return nil
		}
		if err != nil || name == "." {
			return err
		}
		if e.IsDir() && ignoredFolder(e.Name()) || slices.Contains(skip, name) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".pyc") {
			return nil
		}
		if err := visit(name, e); !errors.Is(err, fs.ErrNotExist) {
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
	err = walk(root, skip, func(name string, e fs.DirEntry) error {
		info, err := e.Info()
		if err != nil {
			return err
		}
		s := fileStamp{info.Size(), info.ModTime(), info.Mode()}
		if e.IsDir() {
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
