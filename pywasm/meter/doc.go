// Package meter adds a work counter to a finished WebAssembly module.
//
// Machine code that wazero makes from a module cannot be interrupted: a guest
// that spins would hold a processor, and Go's garbage collector with it, for
// as long as it likes. A module that went through Instrument calls the host
// once for every so many loop iterations, and in that call the host may
// account for the work, let the garbage collector run, or trap the guest.
//
// # The way of a module
//
//  1. splitSections cuts the module into sections and checks their order.
//
//  2. decodeInterface reads what the pass must know: types, imports, globals,
//     exports. The module must import wasgi.meter, a function without
//     parameters that returns an i32, because a new import would renumber
//     every function.
//
//  3. addFuel appends one global, a mutable i32 exported as wasgi_fuel.
//
//  4. rewriteCode walks every function body and puts the check of check.go
//     behind every loop opcode:
//
//     fuel = fuel - 1
//     if fuel <= 0 { fuel = meter() }
//
//  5. Where the code copies or fills memory in bulk, it calls one of two
//     functions instead, which addBulk appends: they do the same in pieces of a
//     mebibyte, with a check in front of each (bulk.go).
//
// The check leaves the stack as it found it, so it is valid behind a loop of
// any block type. No index moves, so every other section stays as it is.
//
// # What it refuses
//
// The host's snapshots hold linear memory and the exported mutable globals.
// A mutable global that is not exported would be lost, so Instrument refuses
// a module that has one. It refuses what it does not know as well: SIMD,
// atomics, exceptions, tail calls, several memories. Input is never trusted:
// every read is checked against the bounds, and no input makes it panic.
//
// The package imports the standard library only.
package meter
