package archive

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Read restores an archive into a state folder, which is made, and must be empty.
// It says whether the key of the secrets was in it. When it fails, what it has
// written is removed again.
func Read(from io.Reader, state string) (key bool, err error) {
	if err := empty(state); err != nil {
		return false, err
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return false, err
	}
	root, err := os.OpenRoot(state)
	if err != nil {
		return false, err
	}
	defer root.Close()
	r := &reader{root: root}
	if err := r.all(from); err != nil {
		return false, errors.Join(fmt.Errorf("restore: %w", err), r.undo())
	}
	return r.key, nil
}

// empty refuses a folder that holds something: a restore replaces nothing.
func empty(state string) error {
	entries, err := os.ReadDir(state)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("the state folder %s is not empty: a backup is restored into an empty one; move it away, or name another one (--state-dir)", state)
}

type reader struct {
	root     *os.Root
	key      bool
	database bool
}

func (r *reader) all(from io.Reader) error {
	z, err := gzip.NewReader(from)
	if err != nil {
		return fmt.Errorf("it is no backup: %w", err)
	}
	t := tar.NewReader(z)
	for {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF) && r.database:
			return nil
		case errors.Is(err, io.EOF):
			return errors.New("it is no backup: there is no state in it")
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return fmt.Errorf("the backup is damaged: %w", err)
		}
		if err := r.entry(h, t); err != nil {
			return err
		}
	}
}

func (r *reader) entry(h *tar.Header, content io.Reader) error {
	name := strings.TrimSuffix(h.Name, "/")
	top, _, _ := strings.Cut(name, "/")
	if !fs.ValidPath(name) || name == "." || !slices.Contains([]string{Database, Key, Releases, Data, routes}, top) {
		return fmt.Errorf("the entry %q is none of a backup", h.Name)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return r.root.MkdirAll(name, 0o700)
	case tar.TypeReg:
	default:
		return fmt.Errorf("the entry %q is neither file nor folder", h.Name)
	}
	r.key, r.database = r.key || name == Key, r.database || name == Database
	if dir := path.Dir(name); dir != "." {
		if err := r.root.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return r.file(name, h, content)
}

func (r *reader) file(name string, h *tar.Header, content io.Reader) error {
	f, err := r.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if mode := fs.FileMode(h.Mode).Perm(); name != Key && name != Database {
		if err := r.root.Chmod(name, mode); err != nil {
			return err
		}
	}
	return r.root.Chtimes(name, h.ModTime, h.ModTime)
}

func (r *reader) undo() error {
	var errs []error
	for _, name := range []string{Database, Key, Releases, Data, routes} {
		errs = append(errs, r.root.RemoveAll(name))
	}
	return errors.Join(errs...)
}
