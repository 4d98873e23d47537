package main

import (
	"slices"
	"testing"

	"github.com/spf13/cobra"
)

// TestEveryCommandIsForScriptsToo: --json, and help with examples. Those without
// --json serve until they are told to end, are Python, or write files for a shell.
func TestEveryCommandIsForScriptsToo(t *testing.T) {
	plain := []string{"wasgi serve", "wasgi dev", "wasgi python", "wasgi man", "wasgi worker"}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if c.HasSubCommands() || c.Hidden {
			return
		}
		if path := c.CommandPath(); !slices.Contains(plain, path) && c.Flags().Lookup("json") == nil {
			t.Errorf("%s has no --json", path)
		}
		if c.Example == "" || c.Short == "" {
			t.Errorf("%s: no help with examples", c.CommandPath())
		}
	}
	walk(newRoot())
}
