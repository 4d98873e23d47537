package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/client"
)

func newSecret() *cobra.Command {
	c := &cobra.Command{
		Use:   "secret",
		Short: "Set, list and remove secrets of a tenant",
		Long: `A secret is a variable of the application's environment whose value the server
keeps encrypted and tells nobody but the application. It stands over [env] and
over what ` + "`wasgi env`" + ` has set.`,
		Args: usage(knownCommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newSecretSet(), newSecretLs(), newSecretRm())
	return c
}

// longestSecret is what the server takes, in bytes.
const longestSecret = 32 << 10

func newSecretSet() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:   "set TENANT NAME",
		Short: "Set a secret; its value is read from standard input",
		Long: `Reads the value from standard input, and asks for it on a terminal. It is no
argument, because those are seen by others and kept by shells. A line end at its
end is no part of it.`,
		Example: `  wasgi secret set shop SECRET_KEY
  pass shop/database | wasgi secret set shop DATABASE_PASSWORD`,
		Args: usage(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.Contains(args[1], "=") {
				return usageError{fmtUsage(c, errors.New("write the name alone: the value is read from standard input"))}
			}
			value, err := readSecret(os.Stdin, c.ErrOrStderr(), args[1])
			if err != nil {
				return err
			}
			return r.changing(c, args[0], func(d deployment) (api.Tenant, error) {
				return d.api.ChangeSecrets(c.Context(), args[0], client.Change{Set: map[string]string{args[1]: value}}, d.at)
			}, "has its new secret")
		},
	}
	r = changeFlags(c)
	return c
}

func readSecret(in *os.File, prompt io.Writer, name string) (string, error) {
	if term.IsTerminal(int(in.Fd())) {
		fmt.Fprintf(prompt, "%s: ", name)
		text, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(prompt)
		return string(text), err
	}
	text, err := io.ReadAll(io.LimitReader(in, longestSecret+3))
	if err != nil {
		return "", err
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if len(value) > longestSecret {
		return "", fmt.Errorf("the value has more than %d bytes", longestSecret)
	}
	if value == "" {
		return "", errors.New("standard input is empty: give the value there")
	}
	return value, nil
}

func newSecretLs() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "ls TENANT",
		Aliases: []string{"list"},
		Short:   "List the names of secrets",
		Example: "  wasgi secret ls shop",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := r.tenant(c, args[0])
			if err != nil {
				return err
			}
			return r.print(c, t.Secrets, func(w io.Writer) error {
				for _, name := range t.Secrets {
					fmt.Fprintln(w, name)
				}
				return nil
			})
		},
	}
	r = remoteFlags(c)
	return c
}

func newSecretRm() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "rm TENANT NAME…",
		Aliases: []string{"remove"},
		Short:   "Remove secrets",
		Example: "  wasgi secret rm shop OLD_KEY",
		Args:    usage(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			return r.changing(c, args[0], func(d deployment) (api.Tenant, error) {
				return d.api.ChangeSecrets(c.Context(), args[0], client.Change{Unset: args[1:]}, d.at)
			}, "has fewer secrets")
		},
	}
	r = changeFlags(c)
	return c
}
