package wasi

import (
	"errors"
	"io"
	"io/fs"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// isStdio tells the three streams of the host from mounts and from what the guest has opened.
func (d *descriptor) isStdio() bool { return d.fixed && d.mount == nil }

// stdio is a stream of the host. Closing it closes nothing: it belongs to whoever made the policy.
type stdio struct {
	sys.UnimplementedFile
	mode fsMode
}

// stdioMode makes a terminal of the host a terminal for the guest, so that Python flushes line by line. Everything
// else is a block device as with wazero: no terminal, and no file whose size could be asked for.
func stdioMode(stream any) fsMode {
	f, ok := stream.(fs.File)
	if !ok {
		return fs.ModeDevice | 0o600
	}
	info, err := f.Stat()
	if err != nil {
		return fs.ModeDevice | 0o600
	}
	return fs.ModeDevice | 0o600 | info.Mode()&fs.ModeCharDevice
}

func (s stdio) Stat() (stat, sys.Errno)             { return stat{Mode: s.mode, Nlink: 1}, 0 }
func (stdio) Seek(position, int) (int64, sys.Errno) { return 0, ESPIPE }
func (stdio) Pread([]byte, int64) (int, sys.Errno)  { return 0, ESPIPE }
func (stdio) Pwrite([]byte, int64) (int, sys.Errno) { return 0, ESPIPE }
func (stdio) Truncate(int64) sys.Errno              { return sys.EINVAL }
func (stdio) SetAppend(bool) sys.Errno              { return 0 }
func (stdio) Read([]byte) (int, sys.Errno)          { return 0, sys.EBADF }
func (stdio) Write([]byte) (int, sys.Errno)         { return 0, sys.EBADF }

type stdin struct {
	stdio
	r io.Reader
}

func newStdin(r io.Reader) File { return &stdin{stdio{mode: stdioMode(r)}, r} }

func (s *stdin) Read(buf []byte) (int, sys.Errno) {
	if s.r == nil || len(buf) == 0 {
		return 0, 0
	}
	n, err := s.r.Read(buf)
	if n > 0 || err == nil || errors.Is(err, io.EOF) {
		return n, 0
	}
	return 0, sys.EIO
}

type stdout struct {
	stdio
	w io.Writer
}

func newStdout(w io.Writer) File { return &stdout{stdio{mode: stdioMode(w)}, w} }

func (s *stdout) Write(buf []byte) (int, sys.Errno) {
	if s.w == nil {
		return len(buf), 0
	}
	n, err := s.w.Write(buf)
	if err != nil {
		return n, sys.EIO
	}
	return n, 0
}
