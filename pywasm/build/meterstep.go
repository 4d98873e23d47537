package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/wasgi/wasgi/pywasm/meter"
)

// importModules are all that the guest may import from.
func importModules() []string {
	return []string{"wasgi", "wasgi_files", "wasgi_socket", "wasi_snapshot_preview1"}
}

// runMeter instruments the optimised module and notes what the pass saw.
func runMeter(j *job) error {
	module, err := os.ReadFile(filepath.Join(j.need("optimise"), "python.wasm"))
	if err != nil {
		return err
	}
	metered, stats, err := meter.Instrument(module)
	if err != nil {
		return err
	}
	for _, m := range stats.Imports {
		if !slices.Contains(importModules(), m) {
			return fmt.Errorf("the guest imports from %q, and the host has only %v: an undefined symbol became an import", m, importModules())
		}
	}
	if err := os.WriteFile(filepath.Join(j.out, "python.wasm"), metered, 0o644); err != nil {
		return err
	}
	return writeJSON(filepath.Join(j.out, "stats.json"), stats)
}
