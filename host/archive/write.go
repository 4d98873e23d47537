package archive

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Names in the state folder and in the archive.
const (
	Database = "state.db"
	Key      = "secret.key"
	Releases = "deployed"
	Data     = "data"
	routes   = "routes.json"
)

// Options of Write.
type Options struct {
	State string // the state folder
	// Database writes a consistent copy of it.
	Database func(io.Writer) error
	Data     bool // take /data of applications
	Key      bool // take the key of the secrets
}

// Write writes an archive. Files that vanish meanwhile are passed over.
func Write(ctx context.Context, to io.Writer, o Options) error {
	root, err := os.OpenRoot(o.State)
	if err != nil {
		return err
	}
	defer root.Close()
	z := gzip.NewWriter(to)
	w := &writer{ctx: ctx, root: root, tar: tar.NewWriter(z)}
	err = w.database(o.Database)
	names := []string{routes, Releases}
	if o.Data {
		names = append(names, Data)
	}
	if o.Key {
		names = append(names, Key)
	}
	for _, name := range names {
		if err == nil {
			err = w.tree(name)
		}
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return errors.Join(w.tar.Close(), z.Close())
}

type writer struct {
	ctx  context.Context
	root *os.Root
	tar  *tar.Writer
}

// database goes through a file without a name: a tar says sizes first.
func (w *writer) database(copyTo func(io.Writer) error) error {
	f, err := os.CreateTemp(w.root.Name(), ".backup-")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := errors.Join(os.Remove(f.Name()), copyTo(f)); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: Database, Mode: 0o600, Size: size})
	}
	if err == nil {
		_, err = io.Copy(w.tar, f)
	}
	return err
}

// tree takes a file or a folder, without what is hidden at the first two levels:
// claims and what is in the making.
func (w *writer) tree(name string) error {
	return fs.WalkDir(w.root.FS(), name, func(name string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case w.ctx.Err() != nil:
			return w.ctx.Err()
		case strings.HasPrefix(path.Base(name), ".") && strings.Count(name, "/") <= 2 && !strings.HasPrefix(name, Data+"/") || hiddenClaim(name):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir():
			return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o700})
		case !e.Type().IsRegular():
			return nil // the guest makes none; a socket of somebody is no data
		}
		return w.file(name)
	})
}

// hiddenClaim says whether a path is data/.<tenant>.use, which older versions made.
func hiddenClaim(name string) bool {
	rest, ok := strings.CutPrefix(name, Data+"/")
	return ok && strings.HasPrefix(rest, ".") && !strings.Contains(rest, "/")
}

// file takes as many bytes as it had when it was opened; one that has become
// shorter is filled with zeros.
func (w *writer) file(name string) error {
	f, err := w.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime()}); err != nil {
		return err
	}
	_, err = io.CopyN(w.tar, io.MultiReader(f, zeroes{}), info.Size())
	return err
}

type zeroes struct{}

// Read implements io.Reader.
func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
