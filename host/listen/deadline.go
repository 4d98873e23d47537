package listen

import (
	"errors"
	"os"
	"time"
)

// deadlines of a conn. To set one takes the runtime 0.1 µs, and net/http sets four for
// each request, nearly all of which pass unused. So those of reads are remembered, and
// set where a read has to wait and the one that is set would be too late; one that ends
// a wait too early is replaced then. Those of writes are set where a write waits.
type deadlines struct {
	limit time.Time // of all pieces; zero is none
	piece time.Time // of the one that is written; zero while nothing of it waits

	lazy    bool      // reads are tried first: see conn.describe
	waits   bool      // a read does
	readBy  time.Time // that was asked for; zero is none
	readSet time.Time // that package net has
}

// sooner says whether a is before b, where zero is never.
func sooner(a, b time.Time) bool { return !a.IsZero() && (b.IsZero() || a.Before(b)) }

// SetReadDeadline implements net.Conn. A Read that finds something to read gives it
// after the deadline as well, unless a Read has waited until then.
func (c *conn) SetReadDeadline(t time.Time) error {
	if !c.lazy {
		return c.Conn.SetReadDeadline(t)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy = t
	if c.waits && sooner(t, c.readSet) {
		return c.setRead()
	}
	return nil
}

// setRead has package net know the deadline. Call it with mu held.
func (c *conn) setRead() error {
	c.readSet = c.readBy
	return c.Conn.SetReadDeadline(c.readBy)
}

// readWaits is called before a read waits.
func (c *conn) readWaits() {
	c.Waits()
	if !c.lazy {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = true
	if sooner(c.readBy, c.readSet) {
		_ = c.setRead() // of one that is closed, the wait says it
	}
}

// readEnds is called after a read that may have waited. It says whether err is the end
// of a deadline that nobody asks for any more, and the read is to be made again.
func (c *conn) readEnds(err error) (again bool) {
	if !c.lazy {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = false
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded), c.readSet.Equal(c.readBy):
		return false
	case !c.readBy.IsZero() && time.Until(c.readBy) <= 0:
		return false
	}
	return c.setRead() == nil
}

// SetWriteDeadline bounds all pieces together, those of a Write that runs
// included. The zero time leaves each piece its own deadline alone.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.IsZero() && c.limit.IsZero() {
		return nil
	}
	c.limit = t
	return c.setWrite()
}

// setWrite has package net know the deadline. Call it with mu held.
func (c *conn) setWrite() error {
	if sooner(c.piece, c.limit) {
		return c.Conn.SetWriteDeadline(c.piece)
	}
	return c.Conn.SetWriteDeadline(c.limit)
}

// SetDeadline sets both.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// writeWaits is called before a piece is waited for, and gives it its time when that is
// the first time.
func (c *conn) writeWaits() {
	c.Waits()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.piece.IsZero() {
		c.piece = time.Now().Add(c.stall)
		_ = c.setWrite() // of one that is closed, the wait says it
	}
}

// writeEnds is called after each piece. Only who writes changes c.piece.
func (c *conn) writeEnds() {
	if c.piece.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.piece = time.Time{}
	_ = c.setWrite() // of one that is closed, the next write says it
}
