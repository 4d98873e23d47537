package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
)

func newTenants() *cobra.Command {
	c := &cobra.Command{
		Use:   "tenants",
		Short: "List, show, stop, start and remove tenants",
		Args:  usage(knownCommand),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newTenantsLs(), newTenantsShow(),
		newTenantChange("stop", "Stop a tenant; its addresses answer with 503", "stopped", func(d deployment) (api.Tenant, error) {
			return d.api.Stop(d.cmd.Context(), d.tenant, d.at)
		}),
		newTenantChange("start", "Have a stopped tenant serve again", "serves", func(d deployment) (api.Tenant, error) {
			return d.api.Start(d.cmd.Context(), d.tenant, d.at)
		}),
		newTenantsRm())
	return c
}

func newTenantsLs() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List all tenants and how they do",
		Example: `  wasgi tenants ls
  wasgi tenants ls --json | jq -r '.[] | select(.state == "failed") | .name'`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := r.statuses(c)
			if err != nil {
				return err
			}
			return r.print(c, all, func(w io.Writer) error { return printTenants(w, all) })
		},
	}
	r = remoteFlags(c)
	return c
}

func printTenants(w io.Writer, all []api.Status) error {
	rows := [][]string{{"TENANT", "STATE", "SOURCE", "RELEASE", "URL", "ERROR"}}
	for _, s := range all {
		first, _, _ := strings.Cut(s.Error, "\n")
		rows = append(rows, []string{s.Name, s.State, s.Source, short(s.Release), s.URL, first})
	}
	return table(w, rows...)
}

// shown is a tenant as `wasgi tenants show --json` prints it.
type shown struct {
	api.Tenant
	Status *api.Status `json:"status,omitempty"`
}

func newTenantsShow() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "show TENANT",
		Short:   "Show one tenant: state, releases, environment",
		Example: "  wasgi tenants show shop",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.client()
			if err != nil {
				return err
			}
			t, err := client.Tenant(c.Context(), args[0])
			if err != nil {
				return err
			}
			all, err := client.Statuses(c.Context())
			if err != nil {
				return err
			}
			out := shown{Tenant: t}
			if i := slices.IndexFunc(all, func(s api.Status) bool { return s.Name == t.Name }); i >= 0 {
				out.Status = &all[i]
			}
			return r.print(c, out, out.write)
		},
	}
	r = remoteFlags(c)
	return c
}

func (t shown) write(w io.Writer) error {
	rows := [][]string{{"tenant", t.Name}, {"source", t.Source}}
	if s := t.Status; s != nil {
		rows = append(rows, []string{"state", s.State}, []string{"url", s.URL}, []string{"release", short(s.Release)},
			[]string{"instances", fmt.Sprintf("%d idle, %d busy, %d in the making", s.Idle, s.Busy, s.Creating)},
			[]string{"requests", fmt.Sprintf("%d, %d waiting", s.Requests, s.Waiting)},
			[]string{"memory", fmt.Sprintf("%s of %s", size(s.Memory), size(s.Limit))})
		rows = append(rows, networkRows(s.Network)...)
		for line := range strings.SplitSeq(s.Error, "\n") {
			if line != "" {
				rows = append(rows, []string{"error", line})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		rows = append(rows, []string{"env", name + "=" + t.Env[name]})
	}
	for _, name := range t.Secrets {
		rows = append(rows, []string{"secret", name})
	}
	if err := table(w, rows...); err != nil || len(t.Releases) == 0 {
		return err
	}
	fmt.Fprintln(w)
	return printReleases(w, t.Releases)
}

// networkRows are none for a tenant without connections.
func networkRows(n *api.Network) (rows [][]string) {
	if n == nil {
		return nil
	}
	rows = append(rows, []string{"network", fmt.Sprintf("%d connections of %d are open, %d refusals, %s sent, %s received",
		n.Open, n.Opened, n.Refused, size(n.Sent), size(n.Received))})
	if n.Pool > 0 {
		rows = append(rows, []string{"pool", fmt.Sprintf("%d idle, %d in use of %d", n.PoolIdle, n.PoolUsed, n.Pool)})
	}
	return rows
}

// size is a number of bytes for people.
func size(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func newTenantChange(verb, short, done string, do func(deployment) (api.Tenant, error)) *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     verb + " TENANT",
		Short:   short,
		Example: "  wasgi tenants " + verb + " shop",
		Args:    usage(cobra.ExactArgs(1)),
		RunE:    func(c *cobra.Command, args []string) error { return r.changing(c, args[0], do, done) },
	}
	r = changeFlags(c)
	return c
}

// removed is what --json tells of a tenant that is no more.
type removed struct {
	Tenant string `json:"removed"`
	Data   bool   `json:"data"` // with what it kept
}

func newTenantsRm() *cobra.Command {
	var r *remote
	var data bool
	c := &cobra.Command{
		Use:     "rm TENANT",
		Aliases: []string{"remove"},
		Short:   "Remove a deployed tenant with its releases, environment and secrets",
		Long: `Ends a tenant that was deployed and removes its releases, environment and secrets.
What it keeps in /data stays, unless --data is given. A tenant that is a folder
below root goes when its folder does.`,
		Example: `  wasgi tenants rm shop
  wasgi tenants rm shop --data`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.client()
			if err != nil {
				return err
			}
			at, err := r.revision(c.Context(), client, args[0])
			if err != nil {
				return err
			}
			if err := client.Remove(c.Context(), args[0], data, at); err != nil {
				return outdated(err, args[0], at)
			}
			return r.tell(c, removed{Tenant: args[0], Data: data}, args[0]+" is removed")
		},
	}
	c.Flags().BoolVar(&data, "data", false, "remove its /data as well")
	r = changeFlags(c)
	return c
}
