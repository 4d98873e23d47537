package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
)

// Errors of Read. An error of the client's connection is returned as it is.
var (
	// ErrTooLarge: the body is above the limit of this request.
	ErrTooLarge = errors.New("spool: the body is too large")
	// ErrFull: all bodies together are above the budget; later there is room again.
	ErrFull = errors.New("spool: no room for bodies")
	// ErrDisk: the temporary file failed.
	ErrDisk = errors.New("spool: temporary file")
)

// Config of a Spooler.
type Config struct {
	Memory      int64  // bytes of one body that stay in memory
	MemoryTotal int64  // bytes of all bodies in memory
	DiskTotal   int64  // bytes of all bodies in files
	Dir         string // where files are made; "" is the system's
}

// Spooler receives bodies. It is safe for concurrent use.
type Spooler struct {
	cfg    Config
	memory *budget
	disk   *budget
	chunks *chunks
}

// New makes a Spooler. It fails when Dir does not take files.
func New(c Config) (*Spooler, error) {
	f, err := openUnnamed(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %q takes no files: %w", c.Dir, err)
	}
	s := &Spooler{cfg: c, memory: &budget{size: c.MemoryTotal}, disk: &budget{size: c.DiskTotal}, chunks: new(chunks)}
	return s, f.Close()
}

// Share is a Spooler that takes from s, and of the totals of s no more than one
// part in so many, but enough for one body of largest bytes: whoever gets it
// leaves room for others.
func (s *Spooler) Share(parts, largest int64) *Spooler {
	return &Spooler{
		cfg: s.cfg, chunks: s.chunks,
		memory: s.memory.share(s.memory.size / parts),
		disk:   s.disk.share(max(s.disk.size/parts, largest)),
	}
}

// Read receives a body up to its end. limit is the most bytes it may have;
// progress, called with the bytes received so far, may move a deadline and may
// be nil. The caller must close the Body.
func (s *Spooler) Read(from io.Reader, limit int64, progress func(received int64)) (*Body, error) {
	b := &Body{spooler: s}
	if err := b.fill(from, limit, progress); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Keep is Read of bytes that are there already. It keeps a copy.
func (s *Spooler) Keep(p []byte) (*Body, error) {
	b := &Body{spooler: s}
	if err := b.keep(p); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Body) keep(p []byte) error {
	if b.fitsMemory(len(p)) {
		b.chunks, b.size = []*chunk{{data: bytes.Clone(p), used: len(p)}}, int64(len(p))
		return nil
	}
	if err := b.openFile(len(p)); err != nil {
		return err
	}
	if _, err := b.file.Write(p); err != nil {
		return wrapDisk(err)
	}
	return b.Rewind()
}

func (b *Body) fill(from io.Reader, limit int64, progress func(int64)) error {
	most := limit
	if most < math.MaxInt64 {
		most++ // one byte more than allowed shows that the limit is passed
	}
	for {
		room := b.room()
		n, err := from.Read(room[:min(int64(len(room)), most-b.size)])
		if b.size+int64(n) > limit {
			return ErrTooLarge
		}
		if failed := b.took(n); failed != nil {
			return failed
		}
		if err == io.EOF {
			return b.received()
		}
		if err != nil {
			return err
		}
		if progress != nil && n > 0 {
			progress(b.size)
		}
	}
}

// received makes the body one to be read. While it waits for an instance it holds
// no chunk that is less than half full, but the smallest.
func (b *Body) received() error {
	if n := len(b.chunks); n > 0 {
		last := b.last()
		b.chunks = b.chunks[:n-1]
		if last.used > 0 && b.file == nil {
			b.chunks = append(b.chunks, b.spooler.chunks.fit(last))
		} else {
			b.spooler.chunks.put(last)
		}
	}
	return b.Rewind()
}
