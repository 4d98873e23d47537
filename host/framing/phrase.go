package framing

import (
	"bytes"
	"context"
	"io"
	"net"
	"strconv"
)

// net/http writes the standard reason phrase whatever an application says, and
// PEP 3333's status is "a code and a reason". So the connection puts the reason
// in: net/http begins every head with an empty buffer, and the first write after
// the head was asked for begins with its status line. A write that does not is
// left as it is.

// phrase is what the next status line is to say.
type phrase struct {
	code   int // 0 is none
	reason string
}

type connKey struct{}

// Context is for http.Server.ConnContext: handlers of a guarded connection may
// call Phrase.
func Context(ctx context.Context, c net.Conn) context.Context {
	switch g := c.(type) {
	case *conn:
		return context.WithValue(ctx, connKey{}, g)
	case *secured:
		return context.WithValue(ctx, connKey{}, g.conn)
	}
	return ctx
}

// Phrase sets the reason phrase of the next head, if it has this status code. It
// is to be called by the handler that holds an HTTP/1 connection, just before
// WriteHeader. ctx is that of its request. reason must have no control character.
func Phrase(ctx context.Context, code int, reason string) {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		c.phrase = phrase{code, reason}
	}
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	if c.phrase.code == 0 {
		return c.Conn.Write(p)
	}
	head, rest, ok := c.phrase.statusLine(p)
	c.phrase = phrase{}
	if !ok {
		return c.Conn.Write(p)
	}
	n, err := c.Conn.Write(append(head, rest...))
	if n < len(head) {
		return 0, err // in bytes of p: of the line in front all or none
	}
	return n - len(head) + len(p) - len(rest), err
}

// statusLine is p's status line with another reason, and what follows it.
func (f phrase) statusLine(p []byte) (head, rest []byte, ok bool) {
	const version = "HTTP/1.x "
	end := bytes.Index(p, []byte("\r\n"))
	fixed := version[:7] + "1 " + strconv.Itoa(f.code) + " "
	if end < len(fixed) || string(p[:7]) != fixed[:7] || string(p[8:len(fixed)]) != fixed[8:] {
		return nil, nil, false
	}
	return append(bytes.Clone(p[:len(fixed)]), f.reason...), p[end:], true
}

// ReadFrom lets the connection below send a file in its own way. A head never
// comes by it.
func (c *conn) ReadFrom(src io.Reader) (int64, error) {
	if to, ok := c.Conn.(io.ReaderFrom); ok {
		return to.ReadFrom(src)
	}
	return io.Copy(struct{ io.Writer }{c}, src)
}
