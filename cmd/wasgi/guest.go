package main

import (
	"github.com/wasgi/wasgi/host"
	"github.com/wasgi/wasgi/pywasm"
)

// loadGuest takes the interpreter out of the binary.
func loadGuest() (host.Guest, error) {
	art, err := pywasm.Load()
	if err != nil {
		return host.Guest{}, err
	}
	return host.Guest{Module: art.Wasm(), RootFS: art.RootFS(), Digest: art.Manifest().Digest(pywasm.RootFSFile)}, nil
}
