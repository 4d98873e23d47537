package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
)

func newRun() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:   "run TENANT -- ARGUMENTS…",
		Short: "Run Python as a tenant, beside its requests",
		Long: `Runs the sandboxed interpreter on the server with what the tenant's application
sees: its code, its packages, its environment with secrets, its /data. What
follows -- is Python's command line. Standard input, output and error are those
of this command, and so is the exit status. There is no terminal: programs that
ask need their options for not asking. --json writes an object a line: what the
program writes, in base64, and at last its exit status.`,
		Example: `  wasgi run shop -- manage.py migrate
  wasgi run shop -- -m flask shell < script.py
  wasgi run shop -- -c 'import os; print(os.environ["DEBUG"])'`,
		Args: usage(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			if c.ArgsLenAtDash() != 1 {
				return usageError{fmtUsage(c, errors.New("write -- between the tenant and Python's arguments"))}
			}
			client, err := r.client()
			if err != nil {
				return err
			}
			var end api.RunOutput
			err = client.Run(c.Context(), args[0], args[1:], os.Stdin, func(o api.RunOutput) error {
				end = o
				if r.json {
					return json.NewEncoder(c.OutOrStdout()).Encode(o)
				}
				if o.Stream == "" {
					return nil
				}
				return writeTo(c, o)
			})
			switch {
			case err != nil:
				return err
			case end.Error != "":
				return errors.New(printableLines(end.Error))
			case end.Exit == nil:
				return errors.New("the connection ended before the program did")
			case *end.Exit != 0:
				return exitStatus(*end.Exit)
			}
			return nil
		},
	}
	r = remoteFlags(c)
	return c
}

func writeTo(c *cobra.Command, o api.RunOutput) error {
	var w io.Writer = c.OutOrStdout()
	if o.Stream == "stderr" {
		w = c.ErrOrStderr()
	}
	_, err := w.Write(o.Data)
	return err
}
