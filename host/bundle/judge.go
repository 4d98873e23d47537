package bundle

import (
	"io/fs"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind of what is written under a name.
type kind uint8

const (
	folder  kind = iota + 1 // named by an entry
	implied                 // the folder of an entry
	file
)

// judge decides about name and kind of an entry, and counts it. The name that
// it returns is relative and clean; "" is the folder itself.
func (u *unpacker) judge(e entry) (string, error) {
	name := strings.TrimPrefix(strings.TrimSuffix(e.name, "/"), "./")
	if name == "." || name == "" && e.mode.IsDir() {
		return "", nil
	}
	if err := checkName(e.name, name); err != nil {
		return "", err
	}
	if err := checkKind(e.name, e.mode); err != nil {
		return "", err
	}
	if err := checkRole(e.name, name); err != nil {
		return "", err
	}
	if err := u.enter(e, name); err != nil {
		return "", err
	}
	if u.made > u.limits.Files {
		return "", refuse("", "holds more than %d files and folders: leave out what the application does not need", u.limits.Files)
	}
	return name, nil
}

// checkName keeps out what is no clean relative path.
func checkName(shown, name string) error {
	switch {
	case len(name) > maxName || strings.Count(name, "/") >= maxDepth || longest(name) > maxSegment:
		return refuse(shown, "has a name of more than %d bytes, %d folders, or %d bytes in one of them", maxName, maxDepth, maxSegment)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return refuse(shown, "has a name that is no UTF-8 or has control characters")
	case strings.ContainsAny(name, "\\:"):
		return refuse(shown, "has a backslash or a colon in its name")
	case !fs.ValidPath(name) || path.Clean(name) != name:
		return refuse(shown, "leads out of the bundle or is no clean relative path")
	}
	return nil
}

// longest is the length of the longest segment.
func longest(name string) int {
	n := 0
	for segment := range strings.SplitSeq(name, "/") {
		n = max(n, len(segment))
	}
	return n
}

func checkKind(shown string, mode fs.FileMode) error {
	switch {
	case mode.IsRegular() || mode.IsDir():
		return nil
	case mode&fs.ModeSymlink != 0:
		return refuse(shown, "is a link: put the file itself there")
	}
	return refuse(shown, "is neither file nor folder")
}

// checkRole keeps out what Python would run by itself, and what it cannot run.
func checkRole(shown, name string) error {
	base := strings.ToLower(path.Base(name))
	switch path.Ext(base) {
	case ".so", ".pyd", ".dll", ".dylib":
		return refuse(shown, "is compiled code, which cannot run here: name the package in requirements.txt, so that its pure Python is installed")
	case ".pth":
		return refuse(shown, "would change sys.path before the application starts: use python_path in wasgi.toml")
	}
	for segment := range strings.SplitSeq(strings.ToLower(name), "/") {
		switch strings.TrimSuffix(segment, ".py") {
		case "sitecustomize", "usercustomize":
			return refuse(shown, "would run before the application does: import it where it is needed, under another name")
		}
	}
	return nil
}

// enter books the name and the folders that it is in. Names that differ in case
// only would be one file on some systems.
func (u *unpacker) enter(e entry, name string) error {
	for at, c := range name {
		if c != '/' {
			continue
		}
		switch key := fold(name[:at]); u.seen[key] {
		case file:
			return refuse(e.name, "is in a folder that is a file as well")
		case 0:
			u.seen[key] = implied
			u.made++
		}
	}
	key := fold(name)
	before := u.seen[key]
	switch {
	case e.mode.IsDir() && (before == implied || before == folder):
		u.seen[key] = folder
		return nil
	case before != 0:
		return refuse(e.name, "is there twice, or differs from another one in upper and lower case only")
	case e.mode.IsDir():
		u.seen[key] = folder
	default:
		u.seen[key] = file
	}
	u.made++
	return nil
}

// fold makes names equal that differ in case only.
func fold(name string) string { return strings.ToLower(strings.ToUpper(name)) }
