package host

import (
	"context"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/tenantlog"
)

// logBacklog is how many lines a reader of a log may be behind; what is above is
// lost to it.
const logBacklog = 1024

// Logs implements api.Backend.
func (b backend) Logs(ctx context.Context, tenant string, lines int, follow bool, f func(api.LogLine) error) error {
	queue := make(chan tenantlog.Line, logBacklog)
	var heard func(tenantlog.Line)
	if follow {
		heard = func(l tenantlog.Line) {
			select {
			case queue <- l:
			default:
			}
		}
	}
	last, stop := b.fleet.tenantLog(tenant).Tail(lines, heard)
	defer stop()
	for _, l := range last {
		if err := f(lineOf(l)); err != nil {
			return err
		}
	}
	for follow {
		select {
		case l := <-queue:
			if err := f(lineOf(l)); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (f *fleet) tenantLog(name string) *tenantlog.Log {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logOf(name)
}

func lineOf(l tenantlog.Line) api.LogLine {
	return api.LogLine{Time: l.Time.UTC(), Level: l.Level.String(), Message: l.Message, Fields: l.Fields}
}
