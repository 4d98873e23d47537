package host

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/wasgi/wasgi/host/tenantlog"
)

// openLog opens a log file to append to; - is standard output, which stays open.
func openLog(path string) (io.WriteCloser, error) {
	if path == "-" {
		return keepOpen{os.Stdout}, nil
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
}

type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

// newTenantLog is where a tenant's words go: the host's log, and a file of its own.
func (f *fleet) newTenantLog(name string) *tenantlog.Log {
	file, past := f.logFile(name)
	return tenantlog.New(f.log, name, int64(f.cfg.now().TenantLogRate), tenantlog.Options{
		File: file, Past: past,
		Dropped: func(records int) { f.metrics.Tenant(name).Dropped(records) },
	})
}

// logFile is nil and nil when there is to be none. What cannot be written to it is in the
// host's log all the same; that says so, seldom.
func (f *fleet) logFile(name string) (slog.Handler, *tenantlog.File) {
	c := f.cfg.now()
	if c.TenantLogSize == 0 || c.Dev {
		return nil, nil
	}
	dir := filepath.Join(c.StateDir, "logs")
	file := tenantlog.NewFile(filepath.Join(dir, name+".log"), int64(c.TenantLogSize), c.TenantLogKeep)
	out := &complaining{
		to: file, dir: dir, log: f.log.With("tenant", name), seldom: seldom{pause: logPause},
	}
	opt := &slog.HandlerOptions{Level: slog.LevelDebug}
	if level := new(slog.Level); level.UnmarshalText([]byte(c.LogLevel)) == nil {
		opt.Level = level
	}
	if c.LogFormat == "json" {
		return slog.NewJSONHandler(tenantlog.Visible(out), opt), file
	}
	return slog.NewTextHandler(tenantlog.Visible(out), opt), file
}
