package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host"
	"github.com/wasgi/wasgi/host/tenantlog"
)

// fmtUsage says which command was meant and where its help is.
func fmtUsage(c *cobra.Command, err error) error {
	return fmt.Errorf("%s: %w (see %s --help)", c.CommandPath(), err, c.CommandPath())
}

// usage makes arguments that check refuses a mistake on the command line.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{fmtUsage(c, err)}
		}
		return nil
	}
}

// newLogger is the plain log of commands that end by themselves.
func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, nil))
}

// newServeLogger has the format and the level of the configuration, which has
// been validated.
func newServeLogger(w io.Writer, cfg host.Config) *slog.Logger {
	log, _ := newLeveledLogger(w, cfg)
	return log
}

// newLeveledLogger is a logger whose level may be changed.
func newLeveledLogger(w io.Writer, cfg host.Config) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	var configured slog.Level
	if err := configured.UnmarshalText([]byte(cfg.LogLevel)); err == nil {
		level.Set(configured)
	}
	opt := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(tenantlog.Visible(w), opt)), level
	}
	return slog.New(slog.NewTextHandler(tenantlog.Visible(w), opt)), level
}
