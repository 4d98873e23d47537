package main

import (
	"errors"
	"runtime/debug"
)

const wazeroModule = "github.com/tetratelabs/wazero"

// checkPatched refuses to measure with wazero as it was released: the parts that
// run guests in this process would not measure what wasgi's binary has in it.
func checkPatched() error {
	info, found := debug.ReadBuildInfo()
	if !found {
		return nil
	}
	return patchedIn(info.Deps)
}

func patchedIn(deps []*debug.Module) error {
	for _, d := range deps {
		if d.Path == wazeroModule && d.Replace == nil {
			return errors.New("this build has wazero as it was released, and wasgi's binary a patched one: run `make bench`, with ARGS='…' for options")
		}
	}
	return nil
}
