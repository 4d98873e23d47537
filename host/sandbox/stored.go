package sandbox

import (
	"errors"
	"io/fs"
	"os"
)

// Stored is an image that lies in a file and takes no memory: what [Engine.OpenStored]
// needs to have it again.
type Stored struct {
	// Bytes are in pages that are not zero: what the image costs to keep.
	Bytes uint64

	path     string
	key      Key
	verified fileID // of the file whose digest was right; zero for none yet
}

// fileID says that a file is the one that was looked at before, and that nobody has
// written to it. Only this user can write to the file, and whoever can take time
// back (utimensat(2)) as well needs no snapshot to get at an application.
type fileID struct {
	device, inode uint64
	size, changed int64 // bytes, and nanoseconds of time
}

func idOf(info os.FileInfo) fileID {
	device, inode := numbersOf(info)
	return fileID{device, inode, info.Size(), info.ModTime().UnixNano()}
}

// FindStored looks whether the image that lies at path was made from these parts. It
// reads the header and the page map: whether the memory is whole is found out when
// the image is opened. The error says why it is not to be used.
func (e *Engine) FindStored(path string, key Key) (Stored, error) {
	f, err := openImageFile(path)
	if err != nil {
		return Stored{}, err
	}
	defer f.Close()
	h, _, err := e.checkHeader(f, key)
	if err != nil {
		return Stored{}, err
	}
	pages, err := h.readPages(f)
	if err != nil {
		return Stored{}, err
	}
	return Stored{Bytes: pages.bytes(h.size), path: path, key: key}, nil
}

// OpenStored is the image that FindStored or [Image.Stored] has told of. Nothing of
// its application runs. Its memory is compared with its digest, about 2.5 ms for
// 16 MiB, unless this process has done so before and the file is the same. The error
// says why the image is not to be used: BuildStored makes it anew.
func (e *Engine) OpenStored(spec Spec, at Stored) (*Image, error) {
	s, err := e.openStored(at)
	if err != nil {
		return nil, err
	}
	return e.newImage(spec, s)
}

// VerifyStored compares the memory of an image with its digest, so that OpenStored has
// not to. The error says why the image is not to be used.
func (e *Engine) VerifyStored(at Stored) (Stored, error) {
	f, err := openImageFile(at.path)
	if err != nil {
		return at, err
	}
	defer f.Close()
	s, err := e.check(f, at)
	if err != nil {
		return at, err
	}
	return s.at, nil
}

// check reads of a file what has to be read before it is used: all of it, unless this
// process has done so before. What it returns is not open yet.
func (e *Engine) check(f *os.File, at Stored) (*storage, error) {
	h, id, err := e.checkHeader(f, at.key)
	if err != nil {
		return nil, err
	}
	pages, err := h.readPages(f)
	if err == nil && id != at.verified {
		err = e.verifyStored(f, h, pages)
	}
	if err != nil {
		return nil, err
	}
	at.verified = id
	return h.storage(f, pages, at), nil
}

// verifyStored has buffers that last: a host reads ten thousand snapshots in a row.
func (e *Engine) verifyStored(f *os.File, h *header, pages pageMap) error {
	buf, ok := e.buffers.Get().(*[verifyBuffer]byte)
	if !ok {
		buf = new([verifyBuffer]byte)
	}
	defer e.buffers.Put(buf)
	return h.verify(f, pages, buf[:])
}

// Lies says whether the file is still the one that was verified: a newer image may
// have taken its place.
func (s Stored) Lies() bool {
	f, err := openImageFile(s.path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	return err == nil && s.Verified() && idOf(info) == s.verified
}

// Verified says whether this process has compared the memory with its digest.
func (s Stored) Verified() bool { return s.verified != fileID{} }

// After is s with what is known of an image that was found before, if it is the same.
func (s Stored) After(before Stored) Stored {
	if s.path == before.path && s.key == before.key && !s.Verified() {
		s.verified = before.verified
	}
	return s
}

// Stored says where the image lies; false for one that is in memory only.
func (im *Image) Stored() (Stored, bool) { return im.storage.at, im.storage.stored() }

// openStored opens and checks the file. The error says why it is not used.
func (e *Engine) openStored(at Stored) (*storage, error) {
	return openImage(at.path, func(f *os.File) (*storage, error) { return e.check(f, at) })
}

// openImage makes a storage of a file that was looked at. What was checked stays
// what it was: the file is private to this user, and is only ever replaced by rename.
func openImage(path string, check func(*os.File) (*storage, error)) (*storage, error) {
	f, err := openImageFile(path)
	if err != nil {
		return nil, err
	}
	s, err := check(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func openImageFile(path string) (*os.File, error) {
	f, err := openNoFollow(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is none yet")
	}
	return f, err
}

// storage is of a file that was checked, or written by this process.
func (h *header) storage(f *os.File, pages pageMap, at Stored) *storage {
	at.Bytes = pages.bytes(h.size)
	return &storage{file: f, offset: h.offset(), size: h.size, pages: pages, globals: h.globals, buffer: h.buffer, at: at}
}
