package main

import (
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
  wasgi python -c 'print(1 + 1)'     run Python in the sandbox
  wasgi doctor ./myapp               say what would be served, and why`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmtUsage(c, err)}
	})
	root.AddCommand(newServe(), newDev(), newPython(), newDoctor(), newVersion())
	return root
}
