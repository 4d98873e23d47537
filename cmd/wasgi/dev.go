package main

import (
	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host"
)

func newDev() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "dev [DIR]",
		Short: "Serve one application, reload on change, show tracebacks",
		Long: `Serves the application in DIR (default: the current folder) at / for its
author: every change reloads it, and an exception is shown in the page. Not for
the public: a traceback tells how the application works.`,
		Example: `  wasgi dev
  wasgi dev ./myapp --listen 127.0.0.1:5000`,
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := host.LoadConfig(file, c.Flags())
			if err != nil {
				return usageError{fmtUsage(c, err)}
			}
			cfg.Dev = true
			if len(args) == 1 {
				cfg.Root = args[0]
			}
			return serve(c.Context(), cfg, nil)
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration file (TOML)")
	host.Flags(c.Flags())
	return c
}
