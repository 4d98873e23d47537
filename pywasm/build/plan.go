package main

import (
	"embed"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/wasgi/wasgi/pywasm/meter"
)

//go:embed recipes/*.sh
var recipes embed.FS

// A step makes one thing out of others.
type step struct {
	name    string
	needs   []string           // steps whose results it reads
	recipe  []string           // all that shapes the result besides its inputs
	files   []string           // patterns of our own files that it reads
	content bool               // its digest is that of the result, not of the key
	always  bool               // never cached: run looks at the machine
	run     func(j *job) error // makes the result in j.out
	hint    string             // what to do when it fails
}

const (
	hintRecipe = "Read the log, mend the recipe, and run the build again: it goes on from this step."
	hintGuest  = "Mend the files in pywasm/guest and run the build again: only what depends on them is made again."
	hintFetch  = "Look whether the machine's apt works (apt-get update), then run the build again."
)

// plan returns all steps, each behind those it needs. The folder guest holds
// our C and Python sources. A quick plan leaves out the optimiser; with tests
// CPython gets the modules that only its own tests use.
func plan(guest string, quick, tests bool) []step {
	c := []string{filepath.Join(guest, "*.c"), filepath.Join(guest, "*.h")}
	posix := []string{filepath.Join(guest, "posix.h"), filepath.Join(guest, "posix", "*", "*.h")}
	py := []string{filepath.Join(guest, "*.py")}
	libs := []string{"zlib", "bzip2", "xz", "sqlite", "openssl"}
	steps := []step{
		tools(),
		{name: "fetch", needs: []string{"tools"}, recipe: pinRecipe(pins()), content: true, run: fetch, hint: hintFetch},
		script("sysroot", "tools", "fetch"),
	}
	for _, lib := range libs {
		steps = append(steps, script(lib, "tools", "fetch", "sysroot"))
	}
	steps = append(steps,
		script("native", "tools", "fetch"),
		cross(tests, append([]string{"tools", "fetch", "sysroot", "native"}, libs...)).reads(posix),
		script("tz", "tools", "fetch", "sysroot"),
		script("link", "tools", "sysroot", "cross", "tz").reads(c),
		optimise(quick),
		step{name: "meter", needs: []string{"optimise"}, content: true, run: runMeter, hint: hintGuest,
			recipe: []string{"1", strconv.Itoa(meter.Version)}},
		script("rootfs", "fetch", "native", "cross").reads(py).then("zip 1", zipRoot),
		hinted(guest, quick),
	)
	return append(steps, step{name: "manifest", needs: names(steps), recipe: []string{"1"},
		run: writeManifest, hint: hintRecipe})
}

// suitesStep is the step of suitePlan that --where names.
const suitesStep = "suites"

// suitePlan fetches what pywasm/conformance takes from Debian besides the
// guest's own sources. It makes no guest.
func suitePlan() []step {
	return []step{tools(), {name: suitesStep, needs: []string{"tools"}, recipe: pinRecipe(suitePins()), content: true, run: fetchSuites, hint: hintFetch}}
}

func tools() step {
	return step{name: "tools", always: true, content: true, run: checkTools,
		hint: "Install the packages by hand and run the build again."}
}

// cross is the step that compiles CPython for the guest.
func cross(tests bool, needs []string) step {
	text := recipe("cross")
	if tests {
		text = strings.Replace(text, "--disable-test-modules", "--enable-test-modules", 1)
	}
	return scripted("cross", text, needs)
}

// script is a step that runs the shell script of its name.
func script(name string, needs ...string) step { return scripted(name, recipe(name), needs) }

func scripted(name, body string, needs []string) step {
	lib := recipe("lib")
	return step{name: name, needs: needs, recipe: []string{lib, body}, hint: hintRecipe,
		run: func(j *job) error { return j.script(lib + body) }}
}

// optimise is the step that runs wasm-opt, or its quick stand-in.
func optimise(quick bool) step {
	s := script("optimise", "tools", "link")
	if quick {
		s.recipe = []string{"copy"}
		s.run = func(j *job) error {
			return j.command(j.work, "cp", filepath.Join(j.need("link"), "python.wasm"), j.out)
		}
	}
	return s
}

// recipe returns an embedded script.
func recipe(name string) string {
	b, err := recipes.ReadFile("recipes/" + name + ".sh")
	if err != nil {
		panic(err) // the script is compiled in
	}
	return string(b)
}

// reads adds files of ours to a step. Such a step's result is compared by
// content, so that a change without effect goes no further.
func (s step) reads(patterns []string) step {
	s.files, s.content, s.hint = patterns, true, hintGuest
	return s
}

// then adds a Go function that runs behind the script.
func (s step) then(version string, f func(*job) error) step {
	script := s.run
	s.recipe = append(s.recipe, version)
	s.run = func(j *job) error {
		if err := script(j); err != nil {
			return err
		}
		return f(j)
	}
	return s
}

// names returns the names of the steps.
func names(steps []step) []string {
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = s.name
	}
	return out
}
