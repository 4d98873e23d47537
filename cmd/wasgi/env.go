package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/client"
)

func newEnv() *cobra.Command {
	c := &cobra.Command{
		Use:   "env",
		Short: "Set, remove and list variables of a tenant's environment",
		Long: `Variables that are set here stand over those of the application's [env]. The tenant
is restarted with them; when it cannot start so, nothing has changed. Values are
kept in the clear and shown: passwords belong into ` + "`wasgi secret`.",
		Args: usage(knownCommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newEnvSet(), newEnvUnset(), newEnvLs())
	return c
}

func newEnvSet() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "set TENANT NAME=VALUE…",
		Short:   "Set variables",
		Example: "  wasgi env set shop DEBUG=0 LANG_DEFAULT=de",
		Args:    usage(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			set := map[string]string{}
			for _, a := range args[1:] {
				name, value, ok := strings.Cut(a, "=")
				if !ok {
					return usageError{fmtUsage(c, fmt.Errorf("%q: want NAME=VALUE", a))}
				}
				set[name] = value
			}
			return r.changing(c, args[0], func(d deployment) (api.Tenant, error) {
				return d.api.ChangeEnv(c.Context(), args[0], client.Change{Set: set}, d.at)
			}, "has its new environment")
		},
	}
	r = changeFlags(c)
	return c
}

func newEnvUnset() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "unset TENANT NAME…",
		Short:   "Remove variables",
		Example: "  wasgi env unset shop DEBUG",
		Args:    usage(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			return r.changing(c, args[0], func(d deployment) (api.Tenant, error) {
				return d.api.ChangeEnv(c.Context(), args[0], client.Change{Unset: args[1:]}, d.at)
			}, "has its new environment")
		},
	}
	r = changeFlags(c)
	return c
}

func newEnvLs() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "ls TENANT",
		Aliases: []string{"list"},
		Short:   "List variables that were set",
		Example: "  wasgi env ls shop",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := r.tenant(c, args[0])
			if err != nil {
				return err
			}
			return r.print(c, t.Env, func(w io.Writer) error {
				for _, name := range slices.Sorted(maps.Keys(t.Env)) {
					fmt.Fprintf(w, "%s=%s\n", name, printable(t.Env[name]))
				}
				return nil
			})
		},
	}
	r = remoteFlags(c)
	return c
}
