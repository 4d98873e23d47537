// Package guesttest tests the guest of pywasm/guest against the contract in
// package abi, on plain wazero: a fault of the guest and one of host/sandbox
// cannot hide each other. The folder is its own because Go allows no C files
// beside Go files without cgo. There is nothing to import here.
//
// WASGI_GUEST_WASM and WASGI_GUEST_ROOT name another module and another root
// folder than the built ones, for work on the guest itself.
//
// Each application in testdata/apps has one purpose. The lines of the PEP 3333
// checklist that the guest answers for are named in the tests.
package guesttest
