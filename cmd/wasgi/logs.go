package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
)

func newLogs() *cobra.Command {
	var r *remote
	var follow bool
	var lines int
	c := &cobra.Command{
		Use:   "logs TENANT",
		Short: "Show a tenant's log",
		Long: `Shows the end of what a tenant has written and what the server says about it, and
with -f what comes from then on. --json prints a record on each line.`,
		Example: `  wasgi logs shop
  wasgi logs shop -f -n 10`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.client()
			if err != nil {
				return err
			}
			enc := json.NewEncoder(c.OutOrStdout())
			err = client.Logs(c.Context(), args[0], lines, follow, func(l api.LogLine) error {
				if r.json {
					return enc.Encode(l)
				}
				return printLine(c.OutOrStdout(), l)
			})
			if follow && errors.Is(err, c.Context().Err()) {
				return nil // Ctrl-C is how one stops following
			}
			return err
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is written from now on")
	c.Flags().IntVarP(&lines, "lines", "n", 100, "how many of the last lines")
	r = remoteFlags(c, true)
	return c
}

func printLine(w io.Writer, l api.LogLine) error {
	text := l.Time.Local().Format("2006-01-02 15:04:05.000") + " " + fmt.Sprintf("%-5s", l.Level)
	if source := l.Fields["source"]; source != "" {
		text += " " + source + ":"
	}
	text += " " + l.Message
	for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
		if name != "source" {
			text += " " + name + "=" + l.Fields[name]
		}
	}
	// A traceback is one record of many lines.
	_, err := fmt.Fprintln(w, strings.ReplaceAll(printableLines(text), "\n", "\n    "))
	return err
}
