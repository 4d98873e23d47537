package script

import (
	"path"
	"path/filepath"
	"strings"
)

// scriptIndex is the place of the script's path in a python command line
// (without argv[0]), or -1 when the program comes from -c, -m, - or standard
// input.
func scriptIndex(args []string) int {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "-" || arg == "--help" || arg == "--version":
			return -1
		case strings.HasPrefix(arg, "--"):
			if arg == "--check-hash-based-pycs" {
				i++
			}
		case !strings.HasPrefix(arg, "-"):
			return i
		default:
			skip, ends := shortOptions(arg)
			if ends {
				return -1
			}
			i += skip
		}
	}
	return -1
}

// shortOptions reads one argument of bundled short options: how many of the
// following arguments it takes, and whether it names the program (-c, -m).
func shortOptions(arg string) (skip int, ends bool) {
	for i := 1; i < len(arg); i++ {
		switch arg[i] {
		case 'c', 'm':
			return 0, true
		case 'W', 'X', 'Q':
			if i == len(arg)-1 {
				return 1, false
			}
			return 0, false
		}
	}
	return 0, false
}

// inGuest translates a path of this machine into the guest's, through the
// longest mount that holds it. ok is false when no mount does.
func inGuest(mounts []Mount, name string) (guest string, ok bool) {
	best := -1
	for i, m := range mounts {
		rel, err := filepath.Rel(m.Host, name)
		if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			continue
		}
		if best >= 0 && len(mounts[best].Host) >= len(m.Host) {
			continue
		}
		best, guest = i, path.Join(m.Guest, filepath.ToSlash(rel))
	}
	return guest, best >= 0
}
