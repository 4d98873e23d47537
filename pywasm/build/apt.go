package main

import (
	"fmt"
	"os"
	"path/filepath"
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
	argv := append([]string{"apt-get"}, a.options...)
	var err error
	for n := range tries {
		if err = a.j.command(dir, append(argv, args...)...); err == nil || a.j.ctx.Err() != nil {
			return err
		}
		time.Sleep(time.Duration(n+1) * 2 * time.Second)
	}
	return fmt.Errorf("%w, %d times", err, tries)
}
