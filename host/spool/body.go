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
// has in memory, or as the writer likes it from a file.
func (b *Body) WriteTo(w io.Writer) (n int64, err error) {
	if b.file != nil {
		return io.Copy(w, b.file)
	}
	for ; b.at < len(b.chunks) && err == nil; b.at, b.within = b.at+1, 0 {
		var m int
		m, err = w.Write(b.chunks[b.at].bytes()[b.within:])
		n += int64(m)
	}
	return n, err
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
// in a file has one chunk, whose bytes are written before the next ones come.
func (b *Body) room() []byte {
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
	if b.file == nil && b.fitsMemory(n) {
		b.size += int64(n)
		return nil
	}
	if err := b.moveToFile(n); err != nil {
		return err
	}
	for _, c := range b.chunks {
		if _, err := b.file.Write(c.bytes()); err != nil {
			return wrapDisk(err)
		}
	}
	b.keepOneChunk()
	return nil
}

func (b *Body) fitsMemory(n int) bool {
	return b.size+int64(n) <= b.spooler.cfg.Memory && b.spooler.memory.take(int64(n))
}

// moveToFile books n more bytes as bytes of the disk, and with them, where there is
// no file yet, all that came before.
func (b *Body) moveToFile(n int) error {
	more := int64(n)
	if b.file == nil {
		more += b.size
	}
	if !b.spooler.disk.take(more) {
		return ErrFull
	}
	if b.file == nil {
		f, err := openUnnamed(b.spooler.cfg.Dir)
		if err != nil {
			b.spooler.disk.give(more)
			return wrapDisk(err)
		}
		b.spooler.memory.give(b.size)
		b.file = f
	}
	b.size += int64(n)
	return nil
}

// keepOneChunk leaves an empty one, the last and largest.
func (b *Body) keepOneChunk() {
	last := b.last()
	b.chunks = b.chunks[:len(b.chunks)-1]
	b.dropChunks()
	last.used = 0
	b.chunks = append(b.chunks, last)
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
