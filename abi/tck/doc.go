// Package tck is the conformance kit of the ABI: tiny WebAssembly guests, one
// purpose each, that speak (or break) the contract of package abi, and a check
// that every real guest must pass. With it the host is tested without CPython
// and CPython's gateway is tested without a web server.
//
//	file        question it answers
//	wasm.go     how is a module put together?
//	code.go     how are instructions written?
//	guest.go    what does a guest look like that obeys the contract?
//	guests.go   which guests obey, and what does each one do?
//	hostile.go  which guests break the contract, and how?
//	files.go    which guests use WASI?
//	check.go    what must a guest do to be accepted?
//
// The kit imports the standard library only and never runs a guest: the tests
// of host/sandbox do.
package tck
