// Command wazero makes the wazero that wasgi is built with: the release that
// go.mod names, with the patches of this folder.
//
//	go run ./host/sandbox/wazero [--out DIR] [--check]
//
// It takes the module from where the go command keeps it, checked against
// go.sum, copies it to DIR/src (default .wazero), applies the patches, and writes
// DIR/go.mod, which is the project's with a replacement, for go build -modfile.
// What is there already is left alone. With --check it runs wazero's own tests
// of the compiler on the result: the WebAssembly specification's, above all.
//
// Everything works with wazero as released, too: a plain go build leaves the
// patches out, and guests take more than twice the time.
//
// # Why
//
// See "Why is wazero patched?" in host/sandbox/DESIGN.md.
package main
