// Package sandbox runs one WebAssembly guest: boot, load, snapshot, restore,
// call, kill. It is the only caller of guest code, and the place where a
// guest's memory is made and unmade.
//
// # The way through it
//
//  1. [NewEngine] takes the data section out of the guest (module.go), compiles
//     the rest once (cache.go) and checks it against package abi (exports.go).
//  2. [Engine.Build] instantiates it (instance.go) in memory of our own
//     (memory.go), writes the data segments, boots, loads and warms up
//     (build.go), and keeps memory and globals as an [Image] (image.go).
//     [Engine.BuildStored] keeps them in a file (store.go, snapfile.go).
//  3. [Image.Restore] maps the image copy on write under a new instance and
//     lets the guest draw new random state.
//  4. [Instance.Serve] runs one request (serve.go). The guest calls back
//     (imports.go) and is stopped at a meter call when its time is over
//     (account.go).
//  5. [Instance.Reset] puts back the pages that the request wrote to
//     (reset.go, dirty_linux.go), for tenants that want a fresh interpreter
//     each time.
//
// [Engine.Python] runs the interpreter without a snapshot, for commands.
//
// # What it must never do
//
//   - Use an instance again after a trap, an exit, an overrun or a kill: the
//     state machine in state.go refuses it.
//   - Touch guest memory after Close, or hand a view of it to anybody who
//     keeps it.
//   - Believe a pointer, a length or a number of the guest.
//   - Let a panic of host code out of a host function: it ends the instance,
//     not the process.
//   - Restore an image without wasgi_after_restore: its instances would agree
//     on their random numbers.
//
// An [Engine] and an [Image] are safe for concurrent use. An [Instance] is
// not, and says so. No goroutine of the package outlives the call that starts it,
// and the package has no state of its own. DESIGN.md has the decisions and what was measured.
//
// Guests run on Linux only; elsewhere the package compiles and every function
// that makes memory fails.
package sandbox
