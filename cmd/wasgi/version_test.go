package main

import (
	"runtime/debug"
	"testing"
)

func TestWazeroVersion(t *testing.T) {
	dep := func(path string, replace *debug.Module) *debug.BuildInfo {
		other := &debug.Module{Path: "example.org/other", Version: "v0.1.0"}
		return &debug.BuildInfo{Deps: []*debug.Module{other, {Path: path, Version: "v1.12.0", Replace: replace}}}
	}
	const wazero = "github.com/tetratelabs/wazero"
	for _, c := range []struct {
		info *debug.BuildInfo
		ok   bool
		want string
	}{
		{dep(wazero, nil), true, "v1.12.0, as released: guests are slower than those of make build"},
		{dep(wazero, &debug.Module{Path: "./.wazero/src"}), true, "v1.12.0, patched"},
		{dep("example.org/wazero", nil), true, "unknown"},
		{nil, false, "unknown"},
	} {
		if got := wazeroVersion(c.info, c.ok); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
