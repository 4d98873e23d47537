package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host"
	"github.com/wasgi/wasgi/host/upgrade"
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
once. SIGHUP reads the configuration again: what is marked with * below holds at
once, what needs a restart is named in the log, and a file with a fault changes
nothing. SIGUSR2 starts the
program anew, from where it lies now, as a process that takes over the sockets
when it is ready; when it never is, this one goes on. Settings come from flags, from WASGI_* in the environment, from the file,
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
			keepSystemd(cfg)
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
	legacy, err := upgrade.Take()
	if err != nil {
		return err
	}
	console := console{os.Stdout, os.Stderr, cfg.Dev}
	h, err := host.New(ctx, cfg, guest, log, host.WithEvents(console.event),
		host.WithVersion(version), host.WithLevel(level), host.WithLegacy(legacy))
	if err != nil {
		return err
	}
	if again == nil {
		return h.Serve(ctx)
	}
	program, err := host.Program()
	if err != nil {
		return err
	}
	defer onSignal(syscall.SIGHUP, func() { reload(h, log, again) })()
	defer onSignal(syscall.SIGUSR2, func() { replace(ctx, h, log, program) })()
	return h.Serve(ctx)
}

// replace has another process take over.
func replace(ctx context.Context, h *host.Host, log *slog.Logger, program string) {
	if err := h.Upgrade(ctx, program, os.Args[1:]); err != nil {
		log.Error("no other process has taken over: this one goes on", "error", err)
	}
}

// onSignal calls f for each signal of a kind, until stop is called.
func onSignal(kind os.Signal, f func()) (stop func()) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, kind)
	go func() { // ends with stop
		defer close(done)
		for range signals {
			f()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
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

// keepSystemd makes what is said by systemd's variables, which are there for the
// start only, hold for a reload and for a process that takes over.
func keepSystemd(cfg host.Config) {
	if cfg.Listen == "systemd" {
		_ = os.Setenv("WASGI_LISTEN", "systemd") // which fails for bad names only
	}
}
