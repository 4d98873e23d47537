package host

import (
	"context"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/tenantlog"
)

// Logs implements api.Backend.
func (b backend) Logs(ctx context.Context, tenant string, q api.LogQuery, f func(api.LogLine) error) error {
	log := b.fleet.tenantLog(tenant)
	wake, stop := log.Watch()
	defer stop()
	reader := log.Read(q.Lines, q.Since)
	for {
		err := reader.Next(func(l tenantlog.Line) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return f(lineOf(l))
		})
		if err != nil || !q.Follow {
			return err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fleet) tenantLog(name string) *tenantlog.Log {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logOf(name)
}

func lineOf(l tenantlog.Line) api.LogLine {
	return api.LogLine{Time: l.Time.UTC(), Level: l.Level.String(), Message: l.Message, Fields: l.Fields}
}
