package main

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// pytestWheels are what pytest itself needs.
func pytestWheels(more ...string) []string {
	return append([]string{"pytest", "pluggy", "iniconfig", "packaging", "pygments"}, more...)
}

// A pytestSuite is a suite for pytest: one unit for each test module.
type pytestSuite struct {
	tests    string        // folder with the tests, within the source
	path     []string      // folders for PYTHONPATH, within the source
	standins bool          // whether guest/standins comes first
	own      string        // unit.own
	quiet    time.Duration // unit.quiet
}

// units is suite.units for a pytest suite.
func (p pytestSuite) units(_ context.Context, _ *world, from sources) ([]unit, error) {
	files, err := testModules(from.tree, p.tests)
	if err != nil {
		return nil, err
	}
	base := unit{dir: from.tree, own: p.own, mounts: []mount{{from.site, siteDir}}, timeout: 10 * time.Minute, quiet: p.quiet}
	if p.standins {
		base.path = append(base.path, standinDir)
	}
	for _, dir := range p.path {
		base.path = append(base.path, filepath.Join("/work", dir))
	}
	base.path = append(base.path, siteDir)
	for name, tree := range from.others {
		if tree != from.tree {
			base.mounts = append(base.mounts, mount{filepath.Join(tree, "src"), "/" + name})
			base.path = append(base.path, "/"+name)
		}
	}
	var out []unit
	for _, file := range files {
		u := base
		u.name = file
		// Descriptors cannot be duplicated, so output is captured where Python
		// writes it; nothing can be dumped when a fatal signal comes.
		u.args = []string{"-m", "pytest", "-p", "conformance_pytest", "--capture=sys", "-p", "no:faulthandler",
			"-p", "no:cacheprovider", "-ra", file}
		out = append(out, u)
	}
	return out, nil
}

// testModules are the files test_*.py below a folder of a source tree, relative
// to the tree.
func testModules(tree, dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(filepath.Join(tree, dir), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name := e.Name()
		if strings.HasPrefix(name, "test_") && strings.HasSuffix(name, ".py") {
			rel, err := filepath.Rel(tree, path)
			out = append(out, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}
