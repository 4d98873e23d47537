package host

import (
	"context"
	"sync"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/tenantlog"
)

// Logs implements api.Backend.
func (b backend) Logs(ctx context.Context, tenant string, q api.LogQuery, f func(api.LogLine) error) error {
	log := b.fleet.logs.of(tenant)
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

// logbook has the logs of all names since the start: a tenant that comes again goes
// on with its own.
type logbook struct {
	make func(name string) *tenantlog.Log

	mu   sync.Mutex // guards all below
	logs map[string]*tenantlog.Log
}

// of is a tenant's.
func (b *logbook) of(name string) *tenantlog.Log {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.logs == nil {
		b.logs = map[string]*tenantlog.Log{}
	}
	if b.logs[name] == nil {
		b.logs[name] = b.make(name)
	}
	return b.logs[name]
}

func lineOf(l tenantlog.Line) api.LogLine {
	return api.LogLine{Time: l.Time.UTC(), Level: l.Level.String(), Message: l.Message, Fields: l.Fields}
}
