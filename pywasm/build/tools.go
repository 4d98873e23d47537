package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// compilers are the Debian packages whose version shapes the result.
func compilers() []string {
	return []string{"clang-22", "lld-22", "llvm-22", "libclang-rt-22-dev-wasm32", "binaryen"}
}

// helpers are the other Debian packages that recipes need.
func helpers() []string {
	return []string{"gcc", "libc6-dev", "make", "patch", "perl", "tcl", "xz-utils", "bzip2",
		"pkg-config", "dpkg-dev", "debian-archive-keyring"}
}

// checkTools installs what is missing and records the compilers' versions.
func checkTools(j *job) error {
	if _, err := exec.LookPath("dpkg-query"); err != nil {
		return fmt.Errorf("this machine has no dpkg: the guest is built on Debian 12 or later, with %s; build it there and copy pywasm/artifact",
			strings.Join(append(compilers(), helpers()...), ", "))
	}
	have, err := installed(j)
	if err != nil {
		return err
	}
	if missing := without(append(compilers(), helpers()...), have); len(missing) > 0 {
		if err := install(j, missing); err != nil {
			return err
		}
		if have, err = installed(j); err != nil {
			return err
		}
	}
	versions := map[string]string{}
	for _, p := range compilers() {
		versions[p] = have[p]
	}
	b, err := json.MarshalIndent(versions, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(j.out, "versions.json"), b, 0o644)
}

// installed returns the versions of the packages that are installed.
func installed(j *job) (map[string]string, error) {
	text, err := j.output("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n")
	if err != nil {
		return nil, err
	}
	have := map[string]string{}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 3 && f[2] == "installed" {
			have[f[0]] = f[1]
		}
	}
	return have, nil
}

// without returns the names that a map does not have.
func without(names []string, have map[string]string) []string {
	var out []string
	for _, n := range names {
		if have[n] == "" {
			out = append(out, n)
		}
	}
	return out
}

// install installs packages, as root or through sudo.
func install(j *job, packages []string) error {
	sudo, err := becomeRoot()
	if err != nil {
		return fmt.Errorf("packages are missing (%s) and %w: run apt-get install %s as root",
			strings.Join(packages, ", "), err, strings.Join(packages, " "))
	}
	apt := append(sudo, "apt-get", "-y", "-o", "Acquire::Retries=3")
	if err := j.command(j.work, append(apt, "update")...); err != nil {
		return err
	}
	argv := append(apt, "install", "--no-install-recommends")
	return j.command(j.work, append(argv, packages...)...)
}

// becomeRoot returns what to put before a command that needs root.
func becomeRoot() ([]string, error) {
	if os.Geteuid() == 0 {
		return []string{"env", "DEBIAN_FRONTEND=noninteractive"}, nil
	}
	if exec.Command("sudo", "-n", "true").Run() == nil {
		return []string{"sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"}, nil
	}
	return nil, errors.New("this user is neither root nor allowed to use sudo without a password")
}
