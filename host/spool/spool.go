package spool

import (
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
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

// pieceSize is how much is read at once, and the size of the buffers that are
// used again.
const pieceSize = 32 << 10

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
	pieces *sync.Pool // *[pieceSize]byte, wiped
}

// New makes a Spooler. It fails when Dir does not take files.
func New(c Config) (*Spooler, error) {
	f, err := openUnnamed(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %q takes no files: %w", c.Dir, err)
	}
	s := &Spooler{
		cfg: c, memory: &budget{size: c.MemoryTotal}, disk: &budget{size: c.DiskTotal},
		pieces: &sync.Pool{New: func() any { return new([pieceSize]byte) }},
	}
	return s, f.Close()
}

// Share is a Spooler that takes from s, and of the totals of s no more than one
// part in so many, but enough for one body of largest bytes: whoever gets it
// leaves room for others.
func (s *Spooler) Share(parts, largest int64) *Spooler {
	return &Spooler{
		cfg: s.cfg, pieces: s.pieces,
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
	if err := b.Rewind(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Keep is Read of bytes that are there already. It keeps a copy.
func (s *Spooler) Keep(p []byte) (*Body, error) {
	b := &Body{spooler: s}
	if err := errors.Join(b.append(p), b.Rewind()); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Body) fill(from io.Reader, limit int64, progress func(int64)) error {
	piece := b.spooler.pieces.Get().(*[pieceSize]byte)
	defer func() { clear(piece[:]); b.spooler.pieces.Put(piece) }()
	most := limit
	if most < math.MaxInt64 {
		most++ // one byte more than allowed shows that the limit is passed
	}
	for {
		n, err := from.Read(piece[:min(int64(pieceSize), most-b.size)])
		if b.size+int64(n) > limit {
			return ErrTooLarge
		}
		if failed := b.append(piece[:n]); failed != nil {
			return failed
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if progress != nil && n > 0 {
			progress(b.size)
		}
	}
}
