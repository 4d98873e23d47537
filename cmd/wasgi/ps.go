package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
)

func newPs() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:   "ps",
		Short: "List what tenants use: instances, requests, memory",
		Example: `  wasgi ps
  wasgi ps --json | jq 'map(.memory) | add'`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := r.statuses(c)
			if err != nil {
				return err
			}
			return r.print(c, all, func(w io.Writer) error { return printUse(w, all) })
		},
	}
	r = remoteFlags(c)
	return c
}

// printUse writes a line for each tenant.
func printUse(w io.Writer, all []api.Status) error { return table(w, useRows(all, nil, 0)...) }

// useRows are a head and a row for each tenant. before, which may be nil, are its
// numbers so many seconds ago, for rates.
func useRows(all []api.Status, before map[string]api.Status, seconds float64) [][]string {
	head := []string{"TENANT", "STATE", "IDLE", "BUSY", "MAKING", "WAITING", "REQUESTS", "MEMORY", "LAST REQUEST"}
	if before != nil {
		head[6] = "REQ/S"
	}
	rows := [][]string{head}
	for _, s := range all {
		requests := fmt.Sprint(s.Requests)
		switch {
		case before != nil && seconds <= 0:
			requests = "–" // nothing to compare with yet
		case before != nil:
			requests = fmt.Sprintf("%.1f", rate(before[s.Name].Requests, s.Requests, seconds))
		}
		rows = append(rows, []string{
			s.Name, s.State, fmt.Sprint(s.Idle), fmt.Sprint(s.Busy), fmt.Sprint(s.Creating), fmt.Sprint(s.Waiting),
			requests, size(s.Memory), when(s.LastCall),
		})
	}
	return rows
}

// rate is none for a count that began anew.
func rate(before, now uint64, seconds float64) float64 {
	if now < before || seconds <= 0 {
		return 0
	}
	return float64(now-before) / seconds
}
