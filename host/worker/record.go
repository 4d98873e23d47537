package worker

import (
	"context"
	"log/slog"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/worker/wire"
)

// recordHandler sends records of log/slog to the host, which adds the tenant.
type recordHandler struct {
	send   func(wire.LogLine)
	tenant string
	attrs  []abi.Pair
}

// Enabled implements slog.Handler: the host knows its level.
func (h *recordHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h *recordHandler) Handle(_ context.Context, r slog.Record) error {
	l := wire.LogLine{Source: wire.FromLogger, Level: int32(r.Level), Text: r.Message, Attrs: h.attrs[:len(h.attrs):len(h.attrs)]}
	r.Attrs(func(a slog.Attr) bool {
		l.Attrs = appendAttr(l.Attrs, a)
		return true
	})
	h.send(l)
	return nil
}

func appendAttr(pairs []abi.Pair, a slog.Attr) []abi.Pair {
	if a.Key == tenantKey {
		return pairs
	}
	return append(pairs, abi.Pair{Key: a.Key, Value: a.Value.String()})
}

// tenantKey is an attribute that only the host sets.
const tenantKey = "tenant"

// WithAttrs implements slog.Handler.
func (h *recordHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	for _, a := range attrs {
		next.attrs = appendAttr(next.attrs[:len(next.attrs):len(next.attrs)], a)
	}
	return &next
}

// WithGroup implements slog.Handler. Nothing in a worker uses groups.
func (h *recordHandler) WithGroup(string) slog.Handler { return h }
