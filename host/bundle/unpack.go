package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"github.com/wasgi/wasgi/tenants"
)

// Report says what Unpack has written.
type Report struct {
	Files   int   // regular files
	Bytes   int64 // of them
	Ignored int   // entries that are no part of an application
}

// Unpack writes the archive of size bytes into the folder, which is empty. A
// bundle whose files are all in one folder is that folder. After an error the
// folder holds a part of it, for the caller to remove. Errors are *Refusal, and
// those of the disk.
func Unpack(archive io.ReaderAt, size int64, into *os.Root, l Limits) (Report, error) {
	if size > l.Archive {
		return Report{}, refuse("", "has %d bytes: %d are allowed", size, l.Archive)
	}
	u := &unpacker{into: into, limits: l, seen: map[string]kind{}, buffer: make([]byte, 64<<10)}
	defer u.leave()
	var magic [262]byte
	n, err := archive.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Report{}, fmt.Errorf("reading the bundle: %w", err)
	}
	switch format(magic[:n]) {
	case zipped:
		err = u.zip(archive, size)
	case gzipped:
		err = u.gzip(io.NewSectionReader(archive, 0, size))
	case tarred:
		err = u.tar(io.NewSectionReader(archive, 0, size))
	default:
		err = refuse("", "is neither zip nor tar.gz nor tar")
	}
	if err == nil && u.report.Files == 0 {
		err = refuse("", "holds no file")
	}
	if err != nil {
		return Report{}, err
	}
	return u.report, lift(into)
}

// formats of archives.
const (
	zipped  = "zip"
	gzipped = "gzip"
	tarred  = "tar"
)

// format looks at the first bytes; what a name says counts for nothing.
func format(magic []byte) string {
	switch {
	case len(magic) >= 4 && string(magic[:4]) == "PK\x03\x04":
		return zipped
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		return gzipped
	case len(magic) >= 262 && string(magic[257:262]) == "ustar":
		return tarred
	}
	return ""
}

// unpacker writes one archive.
type unpacker struct {
	into   *os.Root
	limits Limits
	seen   map[string]kind // by folded name
	made   int             // entries of seen, and folders that no entry names
	at     *os.Root        // the last folder, nil before the first
	name   string          // of it
	buffer []byte
	report Report
}

// entry is what both formats know of a file or folder.
type entry struct {
	name     string
	mode     fs.FileMode
	modified time.Time
}

// take writes an entry. content is read for files only.
func (u *unpacker) take(e entry, content func() (io.Reader, error)) error {
	name, err := u.judge(e)
	if err != nil || name == "" {
		return err
	}
	if tenants.Ignored(name) {
		u.report.Ignored++
		return nil
	}
	if e.mode.IsDir() {
		_, err := u.folder(name)
		return err
	}
	in, err := u.folder(path.Dir(name))
	if err != nil {
		return err
	}
	r, err := content()
	if err != nil {
		return refuse(e.name, "cannot be read: %v", err)
	}
	return u.write(in, name, e, r)
}

// folder makes a folder and those above it, and opens it until the next one is
// asked for. An archive comes folder by folder: with every path walked from the top,
// Django's 3,700 files took three times as long.
func (u *unpacker) folder(name string) (*os.Root, error) {
	switch {
	case name == ".":
		return u.into, nil
	case u.at != nil && u.name == name:
		return u.at, nil
	}
	u.leave()
	err := u.into.MkdirAll(name, 0o755)
	if err == nil {
		u.at, err = u.into.OpenRoot(name)
	}
	if err != nil {
		return nil, fmt.Errorf("unpacking %s: %w", name, err)
	}
	u.name = name
	return u.at, nil
}

func (u *unpacker) leave() {
	if u.at != nil {
		_ = u.at.Close()
		u.at = nil
	}
}

// write copies a file, within what is left of the limit. An error of reading is
// the archive's fault, one of writing the disk's.
func (u *unpacker) write(in *os.Root, name string, e entry, content io.Reader) error {
	f, err := in.OpenFile(path.Base(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", name, err)
	}
	from := &source{from: content, left: u.limits.Bytes - u.report.Bytes}
	n, err := io.CopyBuffer(struct{ io.Writer }{f}, from, u.buffer) // the file's ReadFrom would make a buffer
	err = errors.Join(err, f.Close())
	u.report.Bytes += n
	u.report.Files++
	switch {
	case errors.Is(from.err, errTooMuch):
		return refuse("", "unpacks to more than %d bytes: leave out what the application does not need, or keep it in /data", u.limits.Bytes)
	case from.err != nil:
		return refuse(e.name, "cannot be read: %v", from.err)
	case err != nil:
		return fmt.Errorf("unpacking %s: %w", name, err)
	}
	return date(in, path.Base(name), e.modified)
}

// date gives a file the time that it had, within reason: static files are told
// apart by it. The future is none.
func date(in *os.Root, name string, t time.Time) error {
	if t.Year() < 1980 || t.After(time.Now()) {
		return nil
	}
	return in.Chtimes(name, t, t)
}

// source reads at most left bytes, and remembers its own error.
type source struct {
	from io.Reader
	left int64
	err  error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if int64(len(p)) > s.left+1 {
		p = p[:s.left+1]
	}
	n, err := s.from.Read(p)
	if s.left -= int64(n); s.left < 0 {
		n, err = 0, errTooMuch
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// lift moves what is in the only folder up, as archives of a whole folder have
// it.
func lift(into *os.Root) error {
	all, err := fs.ReadDir(into.FS(), ".")
	if err != nil || len(all) != 1 || !all[0].IsDir() {
		return err
	}
	inner, err := fs.ReadDir(into.FS(), all[0].Name())
	if err != nil {
		return err
	}
	only := "bundle" // a name that nothing in it has
	for slices.ContainsFunc(inner, func(e fs.DirEntry) bool { return e.Name() == only }) {
		only += "_"
	}
	if err := into.Rename(all[0].Name(), only); err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	for _, e := range inner {
		if err := into.Rename(path.Join(only, e.Name()), e.Name()); err != nil {
			return fmt.Errorf("unpacking: %w", err)
		}
	}
	return into.Remove(only)
}
