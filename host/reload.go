package host

import (
	"errors"
	"log/slog"

	"github.com/wasgi/wasgi/host/config"
)

// errNotServing: there is nothing to reload yet, or any more.
var errNotServing = errors.New("the server is starting or draining: reload it when it serves")

// Reload makes the settings of a Config hold that may change while requests are
// served (package config, the tag reload), opens the access log's file again, and
// looks at all applications. kept are the settings that differ and need a restart.
// With an error nothing has changed.
func (h *Host) Reload(wanted Config) (kept []string, err error) {
	h.reloading.Lock()
	defer h.reloading.Unlock()
	s := h.serving.Load()
	if s == nil || h.phase.Load() != phaseServing {
		return nil, errNotServing
	}
	if wanted, err = wanted.Absolute(); err != nil {
		return nil, err
	}
	if err := wanted.Validate(); err != nil {
		return nil, err
	}
	next, changes := config.Merge(*h.fleet.cfg.now(), wanted)
	if err := next.Validate(); err != nil { // what holds and what is new may not fit together
		return nil, err
	}
	if err := s.take(next); err != nil {
		return nil, err
	}
	h.setLevel(next)
	h.fleet.reconfigure(s.sites, next, len(changes.Tenants) > 0)
	h.log.Info("the configuration was loaded again", "changed", changes.Applied, "need_restart", changes.Kept)
	return changes.Kept, nil
}

// take makes the part hold that requests go by.
func (s *service) take(next Config) error {
	front, err := s.front.live.Load().successor(next)
	if err != nil {
		return err
	}
	out, format, err := openAccessLog(next)
	if err != nil {
		return err
	}
	before := s.accessOut
	s.front.access.Switch(out, format)
	s.accessOut = out
	s.front.live.Store(front)
	return before.Close()
}

func (h *Host) setLevel(c Config) {
	var level slog.Level
	if h.level != nil && level.UnmarshalText([]byte(c.LogLevel)) == nil {
		h.level.Set(level)
	}
}

// Running is the configuration that holds.
func (h *Host) Running() Config { return *h.fleet.cfg.now() }
