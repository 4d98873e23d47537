package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
)

func newReleases() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:   "releases TENANT",
		Short: "List the releases that are kept of a tenant",
		Example: `  wasgi releases shop
  wasgi releases shop --json | jq -r '.[0].digest'`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := r.tenant(c, args[0])
			if err != nil {
				return err
			}
			return r.print(c, t.Releases, func(w io.Writer) error { return printReleases(w, t.Releases) })
		},
	}
	r = remoteFlags(c)
	return c
}

func printReleases(w io.Writer, all []api.Release) error {
	rows := [][]string{{"", "RELEASE", "UPLOADED", "SERVED LAST", "FILES", "BYTES", "BY"}}
	for _, one := range all {
		mark := ""
		if one.Current {
			mark = "*"
		}
		rows = append(rows, []string{mark, short(one.Digest), when(&one.Created), when(one.Deployed), fmt.Sprint(one.Files), fmt.Sprint(one.Bytes), one.By})
	}
	return table(w, rows...)
}

// when is a time for people, in their zone.
func when(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func newRollback() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:   "rollback TENANT [RELEASE]",
		Short: "Have an earlier release serve",
		Long: `Has the release serve that did so before the current one, or the one whose digest
begins with RELEASE. It is booted and checked as at a deploy.`,
		Example: `  wasgi rollback shop
  wasgi rollback shop 3f2a91`,
		Args: usage(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, args []string) error {
			release := ""
			if len(args) == 2 {
				release = args[1]
			}
			return r.changing(c, args[0], func(d deployment) (api.Tenant, error) { return d.api.Rollback(c.Context(), args[0], release, d.at) }, "serves")
		},
	}
	r = changeFlags(c)
	return c
}
