package tenantlog

import (
	"context"
	"log/slog"
)

// limited is a handler that passes records on as far as a budget reaches.
type limited struct {
	next   slog.Handler
	own    *slog.Logger
	budget *bucket
}

// Enabled implements slog.Handler.
func (h *limited) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *limited) Handle(ctx context.Context, r slog.Record) error {
	cost := costOf(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		cost += int64(len(a.Key))
		if a.Value.Kind() == slog.KindString {
			cost += costOf(a.Value.String()) - overhead
		}
		return true
	})
	if !h.budget.admit(h.own, cost) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limited{h.next.WithAttrs(attrs), h.own, h.budget}
}

// WithGroup implements slog.Handler.
func (h *limited) WithGroup(name string) slog.Handler {
	return &limited{h.next.WithGroup(name), h.own, h.budget}
}
