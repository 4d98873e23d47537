package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keyring holds the keys that sign Debian's releases.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// tries is how often a download is attempted.
const tries = 3

// A privateApt is an apt of our own: it knows the release that the sources
// come from, and leaves the machine's apt as it is.
type privateApt struct {
	j       *job
	options []string
}

// newPrivateApt sets up an apt below the work folder and reads the lists.
func newPrivateApt(j *job, mirror string) (*privateApt, error) {
	dir := filepath.Join(j.work, "apt")
	for _, sub := range []string{"state/lists/partial", "cache/archives/partial", "etc"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	list := filepath.Join(dir, "etc", "sources.list")
	if err := os.WriteFile(list, []byte(sourcesFor(mirror)), 0o644); err != nil {
		return nil, err
	}
	a := &privateApt{j: j}
	for _, o := range []string{
		"Dir::State=" + filepath.Join(dir, "state"), "Dir::State::status=/var/lib/dpkg/status",
		"Dir::Cache=" + filepath.Join(dir, "cache"), "Dir::Etc::sourcelist=" + list,
		"Dir::Etc::sourceparts=/dev/null", "Dir::Etc::preferences=/dev/null", "Dir::Etc::preferencesparts=/dev/null",
		"Acquire::Languages=none", "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false",
		"APT::Sandbox::User=root", // the folders are ours, not those of _apt
	} {
		a.options = append(a.options, "-o", o)
	}
	return a, a.get(j.work, "update", "--error-on=any")
}

// sourcesFor is the sources.list of the private apt.
func sourcesFor(mirror string) string {
	entry := fmt.Sprintf("[signed-by=%s] %s %s main\n", keyring, mirror, release)
	return "deb " + entry + "deb-src " + entry
}

// get runs apt-get, again if it fails.
func (a *privateApt) get(dir string, args ...string) error {
	return a.first([][]string{args}, func(args []string) error { return a.once(dir, args...) })
}

// first tries the candidates in order until one can be had, and goes round
// again if none could. It returns the last one's error.
func (a *privateApt) first(candidates [][]string, try func(args []string) error) error {
	var err error
	for round := range tries {
		for _, args := range candidates {
			if err = try(args); err == nil || a.j.ctx.Err() != nil {
				return err
			}
		}
		time.Sleep(time.Duration(round+1) * 2 * time.Second)
	}
	return fmt.Errorf("%w, %d times", err, tries)
}

// once runs apt-get.
func (a *privateApt) once(dir string, args ...string) error {
	return a.j.command(dir, append(append([]string{"apt-get"}, a.options...), args...)...)
}

// offered returns the versions of a source package that the lists name, the
// newest first. A release lists more than one after an update.
func (a *privateApt) offered(name string) ([]string, error) {
	args := append(append([]string{"apt-cache"}, a.options...), "showsrc", "--only-source", name)
	text, err := a.j.output(args...)
	if err != nil {
		return nil, err
	}
	return newestFirst(a.j, sourceVersions(text))
}

// sourceVersions takes the versions from paragraphs of a Sources list.
func sourceVersions(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, "Version: "); ok {
			out = append(out, strings.TrimSpace(v))
		}
	}
	return out
}

// newestFirst sorts versions as Debian compares them.
func newestFirst(j *job, versions []string) ([]string, error) {
	var bad error
	slices.SortFunc(versions, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case exec.CommandContext(j.ctx, "dpkg", "--compare-versions", a, "gt", b).Run() == nil:
			return -1
		}
		bad = errors.Join(bad, j.ctx.Err())
		return 1
	})
	return versions, bad
}

// upstream is the part of a version that upstream gave: without epoch and
// Debian's revision.
func upstream(version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	if i := strings.LastIndex(version, "-"); i >= 0 {
		version = version[:i]
	}
	return version
}
