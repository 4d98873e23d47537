// Command nethttp prepares the net/http that wasgi is built with: the one of the
// Go that go.mod names, with the patch of this folder.
//
//	go run ./host/nethttp [--out DIR] [--check]
//
// It patches a copy of the file in DIR (default .nethttp) and writes DIR/overlay.json
// for go build -overlay, and DIR/go, a link to where that Go is: the go command
// takes no replacements for files in its cache of modules, where it keeps a Go that
// it has fetched, by their own name. Use it as
//
//	GOROOT=$PWD/.nethttp/go GOTOOLCHAIN=local GOFLAGS=-overlay=$PWD/.nethttp/overlay.json .nethttp/go/bin/go build ./cmd/wasgi
//
// With --check it runs net/http's own tests on the result.
//
// A Go that the patch does not fit is used as it is, and the command says so:
// everything works without the patch, too, and so does a plain go build.
//
// # Why
//
// See "Why is net/http patched?" in host/DESIGN.md.
package main
