package wasi

import (
	"strings"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Limits on the paths of a guest, in bytes and in components.
const (
	MaxPath  = 4096 // a path within one mount
	MaxName  = 255  // one component
	MaxDepth = 256  // components of a path within one mount
)

// parsePath is the first wall: it turns a path of the guest, relative to a mount or to an open directory, into a
// clean one. The result is "." or components joined by one slash, none of them empty, "." or "..". dir says that the
// path ends as only a directory's may ("a/", "a/.", "a/..").
//
// ".." is resolved in the text, before any file system sees it, so that no symbolic link can give it another meaning;
// a path which would rise above its start is EPERM, and so is an absolute one. An empty path is ENOENT, NUL is EINVAL,
// anything but UTF-8 is EILSEQ and whatever exceeds the limits above is ENAMETOOLONG.
func parsePath(path string) (name string, dir bool, errno sys.Errno) {
	if errno := checkText(path); errno != 0 {
		return "", false, errno
	}
	clean := make([]string, 0, 8)
	for part := range strings.SplitSeq(path, "/") {
		dir = part == "" || part == "." || part == ".."
		switch {
		case part == "..":
			if len(clean) == 0 {
				return "", false, sys.EPERM
			}
			clean = clean[:len(clean)-1]
		case dir:
		case len(part) > MaxName || len(clean) == MaxDepth:
			return "", false, sys.ENAMETOOLONG
		default:
			clean = append(clean, part)
		}
	}
	return joinParts(path, clean), dir, 0
}

func checkText(path string) sys.Errno {
	switch {
	case path == "":
		return sys.ENOENT
	case len(path) > MaxPath:
		return sys.ENAMETOOLONG
	case path[0] == '/':
		return sys.EPERM
	case strings.IndexByte(path, 0) >= 0:
		return sys.EINVAL
	case !utf8.ValidString(path):
		return EILSEQ
	}
	return 0
}

// joinParts spares the copy for a path that was clean already, as nearly all are.
func joinParts(path string, parts []string) string {
	length := len(parts) - 1
	for _, part := range parts {
		length += len(part)
	}
	switch length {
	case -1:
		return "."
	case len(path):
		return path
	}
	return strings.Join(parts, "/")
}

// joinPath puts a clean name below a clean directory.
func joinPath(dir, name string) string {
	switch {
	case dir == ".":
		return name
	case name == ".":
		return dir
	}
	return dir + "/" + name
}

// splitPath returns the directory and the last component of a clean path other than ".".
func splitPath(name string) (dir, base string) {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return ".", name
}

// parseRename takes both paths of a rename apart. The root can be neither.
func parseRename(from, to string) (source string, sourceDir bool, target string, targetDir bool, errno sys.Errno) {
	if source, sourceDir, errno = parsePath(from); errno != 0 {
		return "", false, "", false, errno
	}
	if target, targetDir, errno = parsePath(to); errno != 0 {
		return "", false, "", false, errno
	}
	if source == "." || target == "." {
		return "", false, "", false, EBUSY
	}
	return source, sourceDir, target, targetDir, 0
}
