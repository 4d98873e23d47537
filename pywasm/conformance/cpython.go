package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// cpython is CPython's own regression tests, every module.
func cpython() suite { return suite{name: "cpython", units: cpythonUnits} }

// wsgiref is test_wsgiref, which CPython skips as a whole on WASI because most
// modules of its kind need sockets; it needs none.
func wsgiref() suite {
	return suite{name: "wsgiref", units: func(_ context.Context, _ *world, from sources) ([]unit, error) {
		return []unit{cpythonUnit(from, "test_wsgiref", "--whole")}, nil
	}}
}

// sockets are the modules about sockets, TLS and event loops, which CPython skips
// as a whole on WASI.
func sockets() suite {
	return suite{name: "sockets", units: func(ctx context.Context, w *world, from sources) ([]unit, error) {
		modules, err := cpythonModules(ctx, w, from)
		var units []unit
		for _, module := range modules {
			if aboutSockets(module) {
				units = append(units, cpythonUnit(from, module, "--whole"))
			}
		}
		return units, err
	}}
}

func aboutSockets(module string) bool {
	switch module {
	case "test_select", "test_poll", "test_selectors", "test_socket", "test_ssl", "test_urllib2_localnet", "test_ftplib", "test_smtplib",
		"test_poplib", "test_imaplib", "test_httplib":
		return true
	}
	return strings.HasPrefix(module, "test.test_asyncio.")
}

// cpythonResources are what tests may use up: all but gigabytes of disk, which
// the guest's /tmp does not have, and a screen, sound and network, which it
// has neither.
const cpythonResources = "all,-largefile,-extralargefile,-gui,-audio,-network,-urlfetch"

// cpythonUnit is one module of the regression tests. flags are for the helper.
// Its current folder lies on the disk, as an application's /data does; what
// tempfile makes is in the guest's memory.
func cpythonUnit(from sources, module string, flags ...string) unit {
	args := append([]string{"-m", "conformance_cpython"}, flags...)
	return unit{
		name: module, dir: from.tree, path: []string{cpythonDir},
		// Some tests look for others, or for what they import, beside the standard library's files.
		mounts:  []mount{{from.tree, cpythonDir}, besideLibrary(from, "test"), besideLibrary(from, "__phello__")},
		args:    append(args, module, "-v", "-u", cpythonResources, "--tempdir", resultDir),
		timeout: 15 * time.Minute, tests: true,
	}
}

// besideLibrary puts a package among those of the guest's standard library.
func besideLibrary(from sources, name string) mount {
	return mount{filepath.Join(from.tree, name), "/usr/lib/python3.13/" + name}
}

// cpythonUnits are all modules but those about sockets.
func cpythonUnits(ctx context.Context, w *world, from sources) ([]unit, error) {
	modules, err := cpythonModules(ctx, w, from)
	var units []unit
	for _, module := range modules {
		if !aboutSockets(module) {
			units = append(units, cpythonUnit(from, module))
		}
	}
	return units, err
}

// cpythonModules asks CPython's runner for its modules.
func cpythonModules(ctx context.Context, w *world, from sources) ([]string, error) {
	cmd := exec.CommandContext(ctx, w.nativePython, "-m", "test", "--list-tests")
	cmd.Env = append(os.Environ(), "PYTHONPATH="+from.tree, "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing CPython's tests: %w", err)
	}
	return strings.Fields(string(out)), nil
}

// unpackTests makes the tests that belong to the source of the guest, and two
// packages beside them that tests are about and the guest does not ship: Debian's
// patches are applied as in the guest's build, with the same script.
const unpackTests = `. pywasm/build/recipes/lib.sh
unpack python3.13 CVE- "$WORK/src"
mkdir "$OUT/lib"
for package in test ensurepip __phello__; do mv "$WORK/src/Lib/$package" "$OUT/lib"; done
sed -n 's/^#define PY_VERSION  *"\(.*\)"/\1/p' "$WORK/src/Include/patchlevel.h" >"$OUT/version"`

// prepareCPython unpacks the tests of the source that the guest is made of. The
// name of the build's folder holds the digest of all that it fetched, and of the
// script.
func (w *world) prepareCPython(ctx context.Context) (sources, error) {
	script := sha256.Sum256([]byte(unpackTests))
	dir := filepath.Join(w.cache, "sources", fmt.Sprintf("cpython-%s-%x", filepath.Base(filepath.Dir(w.buildFetch)), script[:4]))
	err := unpackInto(dir, func(root *os.Root) error {
		work, err := os.MkdirTemp(w.tmp, "cpython-")
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "sh", "-euc", unpackTests)
		cmd.Env = append(os.Environ(), "NEED_fetch="+w.buildFetch, "WORK="+work, "OUT="+root.Name())
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("unpacking CPython: %w\n%s", err, out)
		}
		return errors.Join(w.compile(ctx, filepath.Join(root.Name(), "lib"), cpythonDir), os.RemoveAll(work))
	})
	if err != nil {
		return sources{}, err
	}
	version, err := os.ReadFile(filepath.Join(dir, "version"))
	return sources{tree: filepath.Join(dir, "lib"), version: strings.TrimSpace(string(version))}, err
}
