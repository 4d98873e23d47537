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
	memory  []byte // the body, unless file is set
	file    *os.File
	size    int64
	offset  int64
}

// Size in bytes.
func (b *Body) Size() int64 { return b.size }

// InFile says whether the body went to a temporary file.
func (b *Body) InFile() bool { return b.file != nil }

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	if b.file != nil {
		return b.file.Read(p)
	}
	if b.offset >= int64(len(b.memory)) {
		return 0, io.EOF
	}
	n := copy(p, b.memory[b.offset:])
	b.offset += int64(n)
	return n, nil
}

// WriteTo implements io.WriterTo: the rest of the body in one piece from
// memory, or as the writer likes it from a file.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	if b.file != nil {
		return io.Copy(w, b.file)
	}
	n, err := w.Write(b.memory[b.offset:])
	b.offset += int64(n)
	return int64(n), err
}

// Rewind makes the next Read start at the first byte.
func (b *Body) Rewind() error {
	b.offset = 0
	if b.file == nil {
		return nil
	}
	_, err := b.file.Seek(0, io.SeekStart)
	return wrapDisk(err)
}

// Close frees memory and file. A second call does nothing.
func (b *Body) Close() error {
	if b.file != nil {
		b.spooler.disk.give(b.size)
		err := b.file.Close()
		b.file, b.size = nil, 0
		return wrapDisk(err)
	}
	b.dropMemory()
	b.size = 0
	return nil
}

func (b *Body) append(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if b.file == nil && !b.fitsMemory(len(p)) {
		if err := b.spill(); err != nil {
			return err
		}
	}
	if b.file != nil {
		return b.appendFile(p)
	}
	b.memory = append(b.memory, p...)
	b.size += int64(len(p))
	return nil
}

func (b *Body) fitsMemory(n int) bool {
	return b.size+int64(n) <= b.spooler.cfg.Memory && b.spooler.memory.take(int64(n))
}

// spill moves what was received to a file.
func (b *Body) spill() error {
	if !b.spooler.disk.take(b.size) {
		return ErrFull
	}
	f, err := openUnnamed(b.spooler.cfg.Dir)
	if err != nil {
		b.spooler.disk.give(b.size)
		return wrapDisk(err)
	}
	b.file = f
	_, err = f.Write(b.memory)
	b.dropMemory()
	return wrapDisk(err)
}

func (b *Body) appendFile(p []byte) error {
	if !b.spooler.disk.take(int64(len(p))) {
		return ErrFull
	}
	b.size += int64(len(p))
	_, err := b.file.Write(p)
	return wrapDisk(err)
}

// dropMemory wipes what was received: the collector clears it late or never.
func (b *Body) dropMemory() {
	clear(b.memory)
	b.spooler.memory.give(int64(len(b.memory)))
	b.memory = nil
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
