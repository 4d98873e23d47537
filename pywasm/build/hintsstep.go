package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

const hintHints = "Run the command that the log names last by hand, mend what it says, and run the build again."

// hinted is the step that tells the module which of its branches are hardly ever
// taken. A quick plan leaves it out.
func hinted(guest string, quick bool) step {
	s := step{name: "hints", needs: []string{"meter", "rootfs"}, recipe: []string{"1"}, content: true, run: runHints, hint: hintHints}
	for _, name := range hintFiles() {
		s.files = append(s.files, filepath.Join(filepath.Dir(guest), filepath.FromSlash(name)))
	}
	if quick || !canCount(runtime.GOARCH) {
		s.recipe, s.files, s.run = []string{"copy"}, nil, copyMetered
	}
	return s
}

// canCount says whether wazero has a compiler for a processor. A guest that is
// built on another one has no hints.
func canCount(arch string) bool { return arch == "amd64" || arch == "arm64" }

// hintFiles are the patterns of what shapes the hints, in the folder above the
// guest's sources. Tests do not.
func hintFiles() []string {
	return []string{"../host/sandbox/wazero/counts.patch", "branchhint/branchhint.go", "branchhint/counts.go", "hints/counts.go", "hints/main.go", "hints/record.go", "hints/app/*.py", "hints/app/wasgi.toml"}
}

// runHints runs pywasm/hints with a patched wazero of its own: this program is
// built with the released one, which does not count branches.
func runHints(j *job) error {
	wazero := filepath.Join(j.work, "wazero")
	if err := j.goRun("host/sandbox/wazero", nil, "-out", wazero); err != nil {
		return err
	}
	return j.goRun("pywasm/hints", []string{"-modfile", filepath.Join(wazero, "go.mod")},
		"--wasm", filepath.Join(j.need("meter"), "python.wasm"), "--root", filepath.Join(j.need("rootfs"), "rootfs.zip"),
		"--out", filepath.Join(j.out, "python.wasm"))
}

func copyMetered(j *job) error {
	return j.command(j.work, "cp", filepath.Join(j.need("meter"), "python.wasm"), j.out)
}

// goRun runs a program of this module. It gets the whole environment, in which the
// go command has its caches and its proxy, and leaves nothing outside of the work folder.
func (j *job) goRun(pkg string, flags []string, args ...string) error {
	argv := append(append([]string{"go", "run"}, flags...), "github.com/wasgi/wasgi/"+pkg)
	argv = append(argv, args...)
	if err := j.commandIn(append(os.Environ(), "TMPDIR="+j.work), j.b.guest, argv...); err != nil {
		return fmt.Errorf("%s: %w", pkg, err)
	}
	return nil
}
