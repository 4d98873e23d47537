package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages into a folder",
		Long:  "Writes a page for each command, wasgi.1, wasgi-deploy.1 and so on, into DIR, which is made.",
		Example: `  wasgi man ~/.local/share/man/man1
  man wasgi-deploy`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := c.Root()
			root.DisableAutoGenTag = true // the same pages for the same binary
			if err := doc.GenManTree(root, &doc.GenManHeader{Title: "WASGI", Section: "1", Source: "wasgi " + version}, args[0]); err != nil {
				return fmt.Errorf("writing the manual pages: %w", err)
			}
			return nil
		},
	}
}
