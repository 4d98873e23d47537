package main

import (
	"runtime/debug"
	"testing"
)

// TestOnlyThePatchedWazeroIsMeasured: a plain `go run ./host/bench` says what to do.
func TestOnlyThePatchedWazeroIsMeasured(t *testing.T) {
	for _, c := range []struct {
		wazero  *debug.Module
		refused bool
	}{
		{&debug.Module{Path: wazeroModule, Version: "v1.12.0"}, true},
		{&debug.Module{Path: wazeroModule, Version: "v1.12.0", Replace: &debug.Module{Path: "./.wazero/src"}}, false},
	} {
		if err := patchedIn([]*debug.Module{{Path: "example.org/other"}, c.wazero}); (err != nil) != c.refused {
			t.Errorf("%+v: %v", c.wazero, err)
		}
	}
}
