package bundle

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
)

// directoryShare is what one file may take of a zip's directory, in bytes: its
// header, its name and what tools add. All of it is read into memory at once.
const directoryShare = 448

func (u *unpacker) zip(archive io.ReaderAt, size int64) error {
	bounded := &directory{from: archive, left: 128<<10 + int64(u.limits.Files)*directoryShare}
	r, err := zip.NewReader(bounded, size)
	switch {
	case errors.Is(err, errTooMuch):
		return refuse("", "holds more than %d files: leave out what the application does not need", u.limits.Files)
	case err != nil && !errors.Is(err, zip.ErrInsecurePath): // judge says which
		return refuse("", "is no zip that can be read: %v", err)
	}
	bounded.left = -1
	for _, f := range r.File {
		if err := u.take(entry{f.Name, f.Mode(), f.Modified}, func() (io.Reader, error) { return f.Open() }); err != nil {
			return err
		}
	}
	return nil
}

// directory is an archive of which only so many bytes can be read, until left
// is below zero.
type directory struct {
	from io.ReaderAt
	left int64
}

// ReadAt implements io.ReaderAt.
func (d *directory) ReadAt(p []byte, at int64) (int, error) {
	if d.left >= 0 {
		if d.left -= int64(len(p)); d.left < 0 {
			d.left = 0
			return 0, errTooMuch
		}
	}
	return d.from.ReadAt(p, at)
}

func (u *unpacker) gzip(r io.Reader) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return refuse("", "is no tar.gz that can be read: %v", err)
	}
	a := readAhead(z)
	defer a.stop()
	// What no file takes is bounded as well: headers, padding, and files that are
	// left out.
	return u.tar(&source{from: a, left: 2*u.limits.Bytes + int64(u.limits.Files)*4096})
}

func (u *unpacker) tar(r io.Reader) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errTooMuch):
			return refuse("", "unpacks to more than %d bytes: leave out what the application does not need", u.limits.Bytes)
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return refuse("", "is no tar that can be read: %v", err)
		}
		switch h.Typeflag {
		case tar.TypeXGlobalHeader: // git archive writes one
			continue
		case tar.TypeLink:
			return refuse(h.Name, "is a link: put the file itself there")
		}
		if err := u.take(entry{h.Name, h.FileInfo().Mode(), h.ModTime}, func() (io.Reader, error) { return t, nil }); err != nil {
			return err
		}
	}
}
