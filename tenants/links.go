package tenants

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// mostLinks is how many links LinksOutside tells of, mostNames how many it looks at.
const mostLinks, mostNames = 5, 1000

// LinksOutside lists the links of an application that lead out of its folder, as
// "name → target", quoted where they would not print, at most 5: those right below dir, and on the way to the folders of
// path, which are relative to dir. A guest sees nothing behind them. What cannot be
// read is left out.
func LinksOutside(dir string, path []string) []string {
	home, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil
	}
	names := slices.Clone(path)
	// What was read before an error is worth as much.
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink != 0 && !slices.Contains(names, e.Name()) {
			names = append(names, e.Name())
		}
	}
	var out []string
	for _, name := range names[:min(len(names), mostNames)] {
		if len(out) == mostLinks {
			break
		}
		target, err := filepath.EvalSymlinks(filepath.Join(home, name))
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(home, target); err == nil && !filepath.IsLocal(rel) {
			out = append(out, fmt.Sprintf("%s → %s", printable(name), printable(target)))
		}
	}
	return out
}

// printable is a name that moves no cursor and makes no line.
func printable(name string) string {
	if quoted := strconv.Quote(name); quoted[1:len(quoted)-1] != name {
		return quoted
	}
	return name
}
