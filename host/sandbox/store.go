package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Key says what a stored snapshot was made from. Two images with the same key
// must be interchangeable.
type Key [sha256.Size]byte

// NewKey digests the parts: the guest (Engine.Digest), the application, the
// configuration and the environment. Moving a byte from one part to the next
// changes the key.
func NewKey(parts ...[]byte) Key {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.LittleEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	return Key(h.Sum(nil))
}

// BuildStored returns the image that lies at path if it was made from the
// same parts and no byte of it has changed. Otherwise it says in the log why
// not, builds the image and writes it. The file holds whatever the
// application read at import, secrets included: its mode is 0600. An image of
// an application that looked into a writable folder is never written: files
// there change without a change of the key.
func (e *Engine) BuildStored(ctx context.Context, spec Spec, path string, key Key) (*Image, error) {
	s, err := e.openStored(Stored{path: path, key: key})
	if err == nil {
		return e.newImage(spec, s)
	}
	e.logger.Info("the image is built", "tenant", spec.Name, "path", path, "reason", err.Error())
	in, err := e.prepare(ctx, &spec)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if in.sandbox.UsedWritable() {
		e.logger.Info("the image is kept in memory only: the application used files that may change", "tenant", spec.Name)
		return in.keep()
	}
	s, err = e.writeStored(path, key, in.snapshot())
	if err != nil {
		e.logger.Warn("the image was not stored: the next start builds it again", "tenant", spec.Name, "path", path, "error", err)
		return in.keep()
	}
	return e.newImage(spec, s)
}

// checkHeader says whether a file may be what is looked for, and which file it is.
func (e *Engine) checkHeader(f *os.File, key Key) (*header, fileID, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fileID{}, err
	case !info.Mode().IsRegular() || !ownedByUs(info):
		return nil, fileID{}, errors.New("it is no regular file of this user")
	case info.Mode().Perm()&0o077 != 0:
		return nil, fileID{}, fmt.Errorf("others have access to it: mode %v", info.Mode().Perm())
	}
	h, err := readHeader(f, info.Size())
	switch {
	case err != nil:
		return nil, fileID{}, err
	case h.key != key:
		return nil, fileID{}, errors.New("the application, its configuration or its environment has changed")
	case h.guest != e.digest:
		return nil, fileID{}, errors.New("it was made by another guest")
	case len(h.globals) != len(e.guest.globals):
		return nil, fileID{}, errors.New("its globals are not the guest's")
	}
	return h, idOf(info), nil
}

// writeStored writes the file and opens it. Its pages are not read again: they are
// in the page cache as they were written, and the next start reads all of them.
func (e *Engine) writeStored(path string, key Key, s snapshot) (*storage, error) {
	h := header{key: key, guest: e.digest, size: uint64(len(s.memory)), buffer: s.buffer, globals: s.globals}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	pages := mapPages(s.memory)
	if err := writeFileAtomic(path, func(f *os.File) error { return h.writeFile(f, s.memory, pages) }); err != nil {
		return nil, err
	}
	return openImage(path, func(f *os.File) (*storage, error) {
		there, id, err := e.checkHeader(f, key)
		if err == nil && there.digest != h.digest {
			err = errDamaged // or somebody else's of the same key, which nothing has verified
		}
		if err != nil {
			return nil, err
		}
		return there.storage(f, pages, Stored{path: path, key: key, verified: id}), nil
	})
}

// writeFileAtomic replaces path by what write wrote, or leaves it alone. The
// mode is 0600. It does not wait for the disk: what a crash leaves is read and
// compared with its digest before it is used, and a tenant waits for this.
func writeFileAtomic(path string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// write writes the pages that are set, and leaves holes for the others.
func (m pageMap) write(w io.WriterAt, offset int64, memory []byte) error {
	return m.split(pageRun{0, uint64(len(memory))}, func(r pageRun, set bool) error {
		if !set {
			return nil
		}
		_, err := w.WriteAt(memory[r.start:r.end], offset+int64(r.start))
		return err
	})
}
