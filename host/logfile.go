package host

import (
	"io"
	"os"
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
