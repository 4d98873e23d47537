package edge

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

// File is the content of a file: for a call into the guest by ReadAt, and after
// it by what Keep returns. Keep fails when the file does not outlive the call.
type File interface {
	io.ReaderAt
	Keep() (KeptFile, error)
}

// KeptFile is a file of the host's own, to be closed once. Section is for one
// reader at a time.
type KeptFile interface {
	Section(offset, size int64) io.Reader
	io.Closer
}

// smallFile is up to which size a file is read at once: one system call and a
// copy are cheaper than a second descriptor.
const smallFile = 64 << 10

// WriteFile takes what is left of the body from a file: size bytes from offset on.
// A file that can be kept is sent by Finish, when the guest serves others already;
// anything else is sent here by each, which reads pieces and calls its argument. It
// fails as Write does, or as each.
func (r *Response) WriteFile(f File, offset, size int64, each func(write func(p []byte, last bool) error) error) error {
	switch {
	case !r.started:
		return ErrOrder
	case r.gone != nil:
		return ErrClientGone
	case r.bodyless:
		return r.swallowFile(size)
	case r.whole && size > 0:
		r.over = true
		return ErrClientGone
	case size > smallFile && r.keepFile(f, offset, size):
		return nil
	case size <= smallFile, !r.sent && size <= int64(r.opts.Buffer):
		return r.readFile(f, offset, size)
	}
	if !r.sent && r.length == unknown {
		r.length = size // whoever gets the first piece alone cannot know it
	}
	return each(r.Write)
}

// readFile takes a small file as one piece.
func (r *Response) readFile(f File, offset, size int64) error {
	p := make([]byte, size)
	if n, err := f.ReadAt(p, offset); int64(n) < size {
		return fmt.Errorf("%w: %w", ErrFileShort, err)
	}
	return r.Write(p, true)
}

// ErrFileShort: a file had less to read than it said.
var ErrFileShort = errors.New("the application's file has become shorter while it was sent")

func (r *Response) swallowFile(size int64) error {
	if !r.whole && r.length == unknown && r.method == http.MethodHead {
		r.length = size
	}
	r.whole = true
	return nil
}

// keepFile holds what is left of the body in a file; false when it cannot be kept.
func (r *Response) keepFile(f File, offset, size int64) bool {
	kept, err := f.Keep()
	if err != nil {
		return false
	}
	if r.length >= 0 && size > r.length-r.taken {
		size, r.over = r.length-r.taken, true
	}
	r.taken += size
	r.whole = true
	r.held = &heldFile{kept.Section(offset, size), kept}
	return true
}

// heldFile is the part of a file that is sent.
type heldFile struct {
	io.Reader
	io.Closer
}

// body is what is held, as net/http likes it: it looks at the type, for a file
// that the kernel can send.
func body(held io.Reader) io.Reader {
	if f, ok := held.(*heldFile); ok {
		return f.Reader
	}
	return held
}
