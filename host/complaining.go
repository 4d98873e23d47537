package host

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// logPause is how long nothing is said of a log file that cannot be written.
const logPause = time.Minute

// complaining tells the host's log of a tenant's log file that cannot be written,
// a full disk above all, and makes its folder when that is missing.
type complaining struct {
	to     io.Writer
	dir    string
	log    *slog.Logger
	seldom seldom
}

func (c *complaining) Write(record []byte) (int, error) {
	_, err := c.to.Write(record)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(c.dir, 0o700); err == nil {
			_, err = c.to.Write(record)
		}
	}
	if err != nil {
		c.seldom.tell(func(n int) {
			c.log.Error("the tenant's log file cannot be written: its records are in this log alone", "records", n, "error", err)
		})
	}
	return len(record), nil
}
