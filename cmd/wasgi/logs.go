package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
)

func newLogs() *cobra.Command {
	var r *remote
	var ask api.LogQuery
	var since string
	c := &cobra.Command{
		Use:   "logs TENANT",
		Short: "Show a tenant's log",
		Long: `Shows the end of what a tenant has written and what the server says about it, and
with -f what comes from then on. It goes back as far as the server keeps files of
the tenant's log (tenant_log_size, tenant_log_keep), after a restart too; without
files, only a short end is kept, in memory. --since takes how long ago (90s, 2h) or
a time, of this machine's zone unless it says another: 2026-01-31,
"2026-01-31 15:04", 15:04 for today, or as RFC 3339 has it. --json prints a record
on each line.`,
		Example: `  wasgi logs shop
  wasgi logs shop -f -n 10
  wasgi logs shop --since 2h
  wasgi logs shop -n -1 --json | jq -r 'select(.level == "ERROR") | .message'`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if ask.Since, err = sinceOf(since, time.Now()); err != nil {
				return usageError{fmtUsage(c, err)}
			}
			if since != "" && !c.Flags().Changed("lines") {
				ask.Lines = -1
			}
			client, err := r.client()
			if err != nil {
				return err
			}
			enc := json.NewEncoder(c.OutOrStdout())
			err = client.Logs(c.Context(), args[0], ask, func(l api.LogLine) error {
				if r.json {
					return enc.Encode(l)
				}
				return printLine(c.OutOrStdout(), l)
			})
			if ask.Follow && errors.Is(err, c.Context().Err()) {
				return nil // Ctrl-C is how one stops following
			}
			return err
		},
	}
	c.Flags().BoolVarP(&ask.Follow, "follow", "f", false, "go on with what is written from now on")
	c.Flags().IntVarP(&ask.Lines, "lines", "n", 100, "how many of the last lines, -1 for all; with --since all unless it is given")
	c.Flags().StringVar(&since, "since", "", "no line older than that: how long ago, or a time")
	r = remoteFlags(c)
	return c
}

// sinceOf reads --since; zero is none.
func sinceOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			y, m, d := now.Date()
			return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, now.Location()), nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q: write how long ago (90s, 2h) or a time (15:04, 2026-01-31, \"2026-01-31 15:04\", 2026-01-31T15:04:05Z)", text)
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
