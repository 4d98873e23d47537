package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Body is a body that was received whole, as a reader. It is for one goroutine
// at a time.
type Body struct {
	spooler *Spooler
	chunks  []*chunk // the body, unless file is set
	file    *os.File
	size    int64
	at      int // the chunk that is read
	within  int // what was read of it
}

// Size in bytes.
func (b *Body) Size() int64 { return b.size }

// InFile says whether the body went to a temporary file.
func (b *Body) InFile() bool { return b.file != nil }

// Read implements io.Reader. From memory it fills p.
func (b *Body) Read(p []byte) (n int, err error) {
	if b.file != nil {
		return b.file.Read(p)
	}
	for n < len(p) && b.at < len(b.chunks) {
		m := copy(p[n:], b.chunks[b.at].bytes()[b.within:])
		n, b.within = n+m, b.within+m
		if b.within == b.chunks[b.at].used {
			b.at, b.within = b.at+1, 0
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// WriteTo implements io.WriterTo: the rest of the body in as few pieces as it
// has in memory, or as the writer likes it from a file. w must not keep what it is
// given after Write: the memory is used again (net/http's HTTP/2 did until
// go.dev/issue/58446).
func (b *Body) WriteTo(w io.Writer) (n int64, err error) {
	if b.file != nil {
		return io.Copy(w, b.file)
	}
	for b.at < len(b.chunks) {
		m, err := w.Write(b.chunks[b.at].bytes()[b.within:])
		n, b.within = n+int64(m), b.within+m
		if err != nil {
			return n, err
		}
		b.at, b.within = b.at+1, 0
	}
	return n, nil
}

// Rewind makes the next Read start at the first byte.
func (b *Body) Rewind() error {
	b.at, b.within = 0, 0
	if b.file == nil {
		return nil
	}
	_, err := b.file.Seek(0, io.SeekStart)
	return wrapDisk(err)
}

// Close frees memory and file. A second call does nothing.
func (b *Body) Close() (err error) {
	if b.file != nil {
		b.spooler.disk.give(b.size)
		err = wrapDisk(b.file.Close())
	} else {
		b.spooler.memory.give(b.size)
	}
	b.dropChunks()
	b.file, b.size = nil, 0
	return err
}

// dropChunks wipes what was received: the collector clears it late or never.
func (b *Body) dropChunks() {
	for _, c := range b.chunks {
		b.spooler.chunks.put(c)
	}
	b.chunks = nil
}

// room is where the next bytes go: the last chunk, or a new one behind it. A body
// in a file has one chunk, whose bytes are written before the next ones come, and
// gets a larger one as it grows.
func (b *Body) room() []byte {
	if b.file != nil && len(b.chunks) > 0 && len(b.last().data) < smallestChunk<<classOf(b.size) {
		b.dropChunks()
	}
	if len(b.chunks) == 0 || len(b.last().free()) == 0 {
		b.chunks = append(b.chunks, b.spooler.chunks.get(b.size))
	}
	return b.last().free()
}

func (b *Body) last() *chunk { return b.chunks[len(b.chunks)-1] }

// took books n bytes that have come into room.
func (b *Body) took(n int) error {
	if n == 0 {
		return nil
	}
	b.last().used += n
	if b.file != nil {
		return b.appendToFile(n)
	}
	if b.fitsMemory(n) {
		b.size += int64(n)
		return nil
	}
	return b.moveToFile(n)
}

func (b *Body) fitsMemory(n int) bool {
	return b.size+int64(n) <= b.spooler.cfg.Memory && b.spooler.memory.take(int64(n))
}

// appendToFile books n more bytes and writes them.
func (b *Body) appendToFile(n int) error {
	if !b.spooler.disk.take(int64(n)) {
		return ErrFull
	}
	b.size += int64(n)
	return b.flush()
}

// moveToFile writes all that came to a file, n bytes of it not booked yet. The
// memory counts as taken until it is free.
func (b *Body) moveToFile(n int) error {
	inMemory := b.size
	if err := b.openFile(n); err != nil {
		return err
	}
	err := b.flush()
	b.dropChunks()
	b.spooler.memory.give(inMemory)
	return err
}

// openFile makes the file, and books all that was in memory and n bytes more as
// bytes of the disk.
func (b *Body) openFile(n int) error {
	whole := b.size + int64(n)
	if !b.spooler.disk.take(whole) {
		return ErrFull
	}
	f, err := openUnnamed(b.spooler.cfg.Dir)
	if err != nil {
		b.spooler.disk.give(whole)
		return wrapDisk(err)
	}
	b.file, b.size = f, whole
	return nil
}

// flush writes the chunks to the file. They are empty afterwards.
func (b *Body) flush() error {
	for _, c := range b.chunks {
		if _, err := b.file.Write(c.bytes()); err != nil {
			return wrapDisk(err)
		}
		c.used = 0
	}
	return nil
}

// openUnnamed makes a file that nobody else can open and that is gone with its
// descriptor.
func openUnnamed(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "body-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func wrapDisk(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrDisk, err)
}
