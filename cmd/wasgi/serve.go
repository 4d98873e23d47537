package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

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
once. SIGHUP reads the configuration again, without a pause; what needs a restart
is named in the log, and a file with a fault changes nothing. Settings come from flags, from WASGI_* in the environment, from the file,
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
			return serve(c.Context(), cfg, func() (host.Config, error) { return host.LoadConfig(file, c.Flags()) })
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration file (TOML)")
	host.Flags(c.Flags())
	return c
}

// serve runs the host until ctx ends. again reads the configuration anew; nil
// leaves SIGHUP what it is.
func serve(ctx context.Context, cfg host.Config, again func() (host.Config, error)) error {
	guest, err := loadGuest()
	if err != nil {
		return err
	}
	log, level := newLeveledLogger(os.Stderr, cfg)
	for _, w := range cfg.Warnings {
		log.Warn(w)
	}
	console := console{os.Stdout, os.Stderr, cfg.Dev}
	h, err := host.New(ctx, cfg, guest, log, host.WithEvents(console.event), host.WithVersion(version), host.WithLevel(level))
	if err != nil {
		return err
	}
	if again != nil {
		defer onHangup(func() { reload(h, log, again) })()
	}
	return h.Serve(ctx)
}

// onHangup calls f for each SIGHUP, until stop is called.
func onHangup(f func()) (stop func()) {
	hangups, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() { // ends with stop
		defer close(done)
		for range hangups {
			f()
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}

// reload keeps the configuration that there is when the new one has a fault.
func reload(h *host.Host, log *slog.Logger, again func() (host.Config, error)) {
	cfg, err := again()
	if err != nil {
		log.Error("the configuration has a fault: the one that there was goes on", "error", err)
		return
	}
	kept, err := h.Reload(cfg)
	if err != nil {
		log.Error("the configuration cannot be used: the one that there was goes on", "error", err)
		return
	}
	if len(kept) > 0 {
		log.Warn("some settings have changed that need a restart", "settings", kept)
	}
}
