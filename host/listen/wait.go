package listen

import (
	"io"
	"iter"
	"net"
	"os"
	"syscall"
)

// Waits has the function of BeforeWait called, if c has one: by who knows that
// nothing more comes of it for a while.
func Waits(c net.Conn) {
	if inner := under(c); inner != nil {
		inner.Waits()
	}
}

// layers are c, what it wraps, and so on down.
func layers(c net.Conn) iter.Seq[net.Conn] {
	return func(yield func(net.Conn) bool) {
		for yield(c) {
			outer, ok := c.(interface{ NetConn() net.Conn })
			if !ok {
				return
			}
			c = outer.NetConn()
		}
	}
}

// under is the connection that BeforeWait is for; nil for none.
func under(c net.Conn) *conn {
	for layer := range layers(c) {
		if inner, ok := layer.(*conn); ok {
			return inner
		}
	}
	return nil
}

// BeforeWait has f called in the goroutine that reads from c or writes to it,
// whenever it has to wait for the client, just before, and each time that c is
// closed for writing or as a whole. Where nobody can tell, f is called before each
// Read, Write and part of a file. c is a connection of a Gate's listener, or wraps
// one and has NetConn, as *tls.Conn does; false says that it is none. f must be
// safe for concurrent use. It is set before c is used.
func BeforeWait(c net.Conn, f func()) bool {
	inner := under(c)
	if inner == nil {
		return false
	}
	inner.wait = f
	inner.describe()
	return true
}

// Waits is the function Waits.
func (c *conn) Waits() {
	if c.wait != nil {
		c.wait()
	}
}

// transfer is one Read or Write on a descriptor. It is kept with its connection,
// so that none allocates.
type transfer struct {
	p    []byte // what is left
	n    int
	err  error
	wait func()
	call func(fd int, p []byte) (int, error)
	step func(fd uintptr) bool
}

func newTransfer(call func(fd int, p []byte) (int, error), wait func()) *transfer {
	t := &transfer{call: call, wait: wait}
	t.step = t.try
	return t
}

// try is for syscall.RawConn: false waits until the descriptor is ready.
func (t *transfer) try(fd uintptr) bool {
	for {
		n, err := t.call(int(fd), t.p)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			t.wait()
			return false
		}
		t.n, t.err = max(n, 0), err
		return true
	}
}

// do makes the transfer with the method of a syscall.RawConn.
func (t *transfer) do(c *conn, op string, p []byte, on func(func(fd uintptr) bool) error) (int, error) {
	t.p, t.n, t.err = p, 0, nil
	err := on(t.step)
	t.p = nil
	if err == nil && t.err != nil {
		err = os.NewSyscallError(op, t.err)
	}
	if err == nil {
		return t.n, nil
	}
	if raw, ok := err.(*net.OpError); ok {
		err = raw.Err
	}
	return t.n, &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// describe finds what the connection can try to read and write without waiting.
func (c *conn) describe() {
	inner := c.Conn
	p, header := inner.(*proxied)
	if header {
		inner = p.Conn
	}
	if s, ok := inner.(syscall.Conn); ok {
		c.fd, _ = s.SyscallConn()
	}
	c.lazy = c.fd != nil && !header // who reads a header sets deadlines of its own
}

// readable says whether Read may go to the descriptor: what came with a PROXY
// header is elsewhere. It is for who reads.
func (c *conn) readable() bool {
	p, ok := c.Conn.(*proxied)
	return c.fd != nil && (!ok || p.through())
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if c.wait == nil || len(p) == 0 {
		return c.Conn.Read(p)
	}
	if !c.readable() {
		c.wait()
		return c.Conn.Read(p)
	}
	if c.reading == nil {
		c.reading = newTransfer(syscall.Read, c.readWaits)
	}
	n, err := c.reading.do(c, "read", p[:min(len(p), maxRead)], c.fd.Read)
	if c.readEnds(err) {
		return c.Read(p)
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// maxRead is what one read(2) takes, as in package net.
const maxRead = 1 << 30

// send writes a piece.
func (c *conn) send(p []byte) (sent int, err error) {
	if c.wait == nil || c.fd == nil {
		c.writeWaits()
		return c.Conn.Write(p)
	}
	if c.writing == nil {
		c.writing = newTransfer(syscall.Write, c.writeWaits)
	}
	for {
		n, err := c.writing.do(c, "write", p[sent:], c.fd.Write)
		if sent += n; err != nil || sent == len(p) {
			return sent, err
		}
	}
}
