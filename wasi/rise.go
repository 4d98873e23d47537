package wasi

import (
	"strings"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// rise resolves a path that leaves its mount through "..", as "/app/../data/x" does: wasi-libc looks for the mount in
// the text before it. The guest sees one tree, in which "/.." is "/", and reaches nothing that it could not name
// without "..": what lies in no mount stays EPERM. Relative paths only; the file systems never see one that rises.
func (s *Sandbox) rise(from *mount, path string) (m *mount, name string, dir bool, errno sys.Errno) {
	if path[0] == '/' {
		return nil, "", false, sys.EPERM
	}
	parts := strings.Split(strings.Trim(from.guest, "/"), "/")
	if from.guest == "/" {
		parts = nil
	}
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "", ".":
		case "..":
			parts = parts[:max(0, len(parts)-1)]
		default:
			parts = append(parts, part)
		}
	}
	m, name = s.mountOf("/" + strings.Join(parts, "/"))
	if m == nil {
		return nil, "", false, sys.EPERM
	}
	if last := path[strings.LastIndexByte(path, '/')+1:]; last == "" || last == "." || last == ".." {
		name += "/"
	}
	name, dir, errno = parsePath(name)
	return m, name, dir, errno
}

// mountOf returns the mount that shows an absolute, clean path, and the path within it; nil when none does. Of several
// the deepest shows it.
func (s *Sandbox) mountOf(path string) (best *mount, name string) {
	for _, m := range s.mounts {
		inside, ok := strings.CutPrefix(path, m.guest)
		if !ok || m.guest != "/" && inside != "" && inside[0] != '/' {
			continue
		}
		if best == nil || len(m.guest) > len(best.guest) {
			best, name = m, strings.TrimPrefix(inside, "/")
		}
	}
	if name == "" {
		name = "."
	}
	return best, name
}
