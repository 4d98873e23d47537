// Command conformance runs test suites that were not written here inside the
// guest, through "wasgi python", and holds their outcome against a list of
// what is known to be left out.
//
//	go run ./pywasm/conformance [--suite NAMES] [--run PATTERN] [--wasgi-tests FILE] [--jobs N] [--native] [--json] [--list]
//
// "make conformance" builds the binaries first: the one that is delivered, and for
// CPython's own tests one whose guest has _testcapi and its like besides. RESULTS.md has what the last
// run of each unit found.
//
// # The way of a run
//
//  1. suite.prepare fetches the sources: CPython's from the guest's own build
//     (pywasm/build --where fetch), the others from the machine's package index
//     through pip. pins holds their versions and digests; archives.go checks
//     them on each use and keeps them in the user's cache folder. One has its
//     tests in Debian's source alone (pywasm/build --where suites).
//  2. suite.units cuts the suite into units. Each is a process of its own, so
//     that one that crashes or hangs loses no other.
//     server.go starts what the suite connects to, PostgreSQL, MariaDB or Redis
//     from Debian, on a port of 127.0.0.1 that is the only one its units may reach.
//     It ends with the suite, and its folder with it, at Ctrl-C too.
//  3. process.go runs a unit. Helpers of ours, in guest, record each test as it
//     starts and ends (record.go).
//  4. judge.go compares with the suite's list in leftout: a test that fails and
//     is not on it is a fault, and so is one on it that passes.
//  5. report.go keeps what was found in RESULTS.json and RESULTS.md.
//
// # The lists of what is left out
//
// leftout/SUITE.json is a list of {"reason", "tests", "notRun"}. A name may
// hold stars. Tests that are not run would hang or end the guest; all others run and
// must fail, so that an entry goes when its reason has gone.
//
// Who may import it: nobody, it is a command. It uses no package of wasgi.
package main
