package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/client"
)

func newToken() *cobra.Command {
	c := &cobra.Command{
		Use:   "token",
		Short: "Make, list and remove tokens for the admin API",
		Args:  usage(knownCommand),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newTokenCreate(), newTokenLs(), newTokenRm())
	return c
}

func newTokenCreate() *cobra.Command {
	var r *remote
	var request client.TokenRequest
	var life time.Duration
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a token and print it, once",
		Long: `Makes a token with which other machines may use the admin API. The server keeps a
hash of it: what is printed here cannot be read again.`,
		Example: `  wasgi token create --tenant shop --note CI --expires 2160h > token
  wasgi token create --read-only`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := r.client()
			if err != nil {
				return err
			}
			if life > 0 {
				request.Expires = time.Now().Add(life).UTC()
			}
			t, err := client.CreateToken(c.Context(), request)
			if err != nil {
				return err
			}
			return r.tell(c, t, t.Secret)
		},
	}
	c.Flags().StringVar(&request.Tenant, "tenant", "", "the only tenant that it is for")
	c.Flags().BoolVar(&request.ReadOnly, "read-only", false, "it changes nothing")
	c.Flags().StringVar(&request.Note, "note", "", "what it is for")
	c.Flags().DurationVar(&life, "expires", 0, "how long it counts, such as 720h (default for ever)")
	r = remoteFlags(c)
	return c
}

func newTokenLs() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List tokens, without what they are",
		Example: "  wasgi token ls",
		Args:    usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := r.client()
			if err != nil {
				return err
			}
			all, err := client.Tokens(c.Context())
			if err != nil {
				return err
			}
			return r.print(c, all, func(w io.Writer) error { return printTokens(w, all) })
		},
	}
	r = remoteFlags(c)
	return c
}

func printTokens(w io.Writer, all []api.Token) error {
	rows := [][]string{{"ID", "FOR", "RIGHTS", "MADE", "EXPIRES", "NOTE"}}
	for _, t := range all {
		scope, rights := "the host", "all"
		if t.Tenant != "" {
			scope = t.Tenant
		}
		if t.ReadOnly {
			rights = "read"
		}
		rows = append(rows, []string{t.ID, scope, rights, when(&t.Created), when(t.Expires), t.Note})
	}
	return table(w, rows...)
}

func newTokenRm() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "rm ID",
		Aliases: []string{"remove"},
		Short:   "Remove a token: it counts no more",
		Example: "  wasgi token rm 4be1c0a99d21",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.client()
			if err != nil {
				return err
			}
			if err := client.RemoveToken(c.Context(), args[0]); err != nil {
				return err
			}
			return r.tell(c, map[string]string{"removed": args[0]}, "token "+args[0]+" is removed")
		},
	}
	r = remoteFlags(c)
	return c
}
