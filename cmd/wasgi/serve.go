package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host"
)

func newServe() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve every application in a folder",
		Long: `Serves each sub folder of --root as one tenant, in sandboxes of its own. A
folder needs no configuration; wasgi.toml in it may say more. Folders that
appear, change or vanish are served, reloaded or stopped while others go on.

SIGTERM or Ctrl-C lets running requests end and exits 0; a second one ends at
once. Settings come from flags, from WASGI_* in the environment, from the file,
in this order.`,
		Example: `  wasgi serve --root ./apps
  wasgi serve --root /srv/apps --listen 0.0.0.0:80 --state-dir /var/lib/wasgi
  WASGI_SLOTS=4 wasgi serve --config /etc/wasgi.toml`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := host.LoadConfig(file, c.Flags())
			if err != nil {
				return usageError{fmtUsage(c, err)}
			}
			return serve(c.Context(), cfg)
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration file (TOML)")
	host.Flags(c.Flags())
	return c
}

// serve runs the host until ctx ends.
func serve(ctx context.Context, cfg host.Config) error {
	guest, err := loadGuest()
	if err != nil {
		return err
	}
	log := newServeLogger(os.Stderr, cfg)
	for _, w := range cfg.Warnings {
		log.Warn(w)
	}
	console := console{os.Stdout, os.Stderr, cfg.Dev}
	h, err := host.New(ctx, cfg, guest, log, host.WithEvents(console.event), host.WithVersion(version))
	if err != nil {
		return err
	}
	return h.Serve(ctx)
}
