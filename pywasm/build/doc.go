// Command build makes the guest: CPython for WebAssembly with our C extension,
// its root file system, and a manifest that says what went into them.
//
//	go run ./pywasm/build [--out DIR] [--cache DIR] [--jobs N] [--from STEP] [--quick] [--test-modules] [--where STEP] [--list] [--json]
//
// # The way of a build
//
// The build is a list of steps (plan.go). Each names the steps it needs and
// has a recipe: a shell script in recipes for everything that runs foreign
// programs, a Go function for the rest. run.go walks them in order, and
// starts a step when what it needs is done.
//
//	tools ─ fetch ─ sysroot ─┬─ zlib, bzip2, xz, sqlite, openssl ─┐
//	             └─ native ──┴────────────────────────────────── cross ─ link ─ optimise ─ meter ─┐
//	                     └────────────────────────────────────────┴───── rootfs ──────────────── hints ─ manifest
//
// # The cache
//
// A step's key (key.go) is a digest over its recipe, the digests of what it
// needs, and the files of ours that it reads. The result stands in the cache
// under that key, outside the repository. A step works in a temporary folder
// that is renamed into place when all went well (cache.go): an interrupted
// build leaves nothing that a later one could take for a result.
//
// So a change of pywasm/guest/*.c repeats link, optimise, meter and hints; a change
// of pywasm/guest/*.py repeats rootfs and hints; no change repeats nothing. The
// optimiser takes most of a minute, and the hints are those of a run of the guest
// (pywasm/hints); --quick leaves both out while C code is being tried.
//
// # Where the sources come from
//
// Debian's source packages of one release, through apt, which checks their
// signatures (apt.go). The mirror is the one that the machine's own apt
// configuration names (mirror.go). What upstream published is pinned by
// digest as well (pins.go); the revisions that Debian adds are recorded in
// the manifest. Where the mirror lists several versions, or lists one before
// it has its files, the best one that can be had is taken (fetch.go).
//
// "--where suites" makes no guest: it fetches upstream tarballs with tests for
// pywasm/conformance (suitePins).
package main
