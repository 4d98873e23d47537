package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "wasgi",
		Short: "Host Python web applications, each in a WebAssembly sandbox",
		Long: `wasgi hosts Python WSGI applications (Flask, Django, Bottle, plain PEP 3333).
Each application runs in its own CPython inside WebAssembly: it sees the files
and the environment that it is given and nothing else of the machine.`,
		Example: `  wasgi dev ./myapp                  serve one application, reload on change
  wasgi serve --root ./apps          serve every application in a folder
  wasgi deploy ./myapp               upload an application to a server that runs
  wasgi python -c 'print(1 + 1)'     run Python in the sandbox
  wasgi doctor ./myapp               say what would be served, and why`,
		SilenceUsage:               true,
		SilenceErrors:              true,
		Args:                       usage(knownCommand),
		SuggestionsMinimumDistance: 2,
		RunE:                       func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmtUsage(c, err)}
	})
	root.AddCommand(newServe(), newDev(), newPython(), newDoctor(), newVersion(), newWorker(), newMan(),
		newDeploy(), newReleases(), newRollback(), newTenants(), newEnv(), newSecret(), newLogs(), newPs(), newTop(), newRun(), newToken(),
		newBackup(), newRestore(), newCron())
	return root
}

// knownCommand is asked about words that name no sub-command.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(", did you mean %q?", near[0])
	}
	return fmt.Errorf("unknown command %q%s", args[0], hint)
}
