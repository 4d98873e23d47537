package bundle

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/wasgi/wasgi/tenants"
)

// Pack writes the application in a folder as tar.gz, without what Unpack would
// leave out, the same bytes for the same files. Links are an error: a bundle
// holds none.
func Pack(to io.Writer, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	z := gzip.NewWriter(to)
	t := tar.NewWriter(z)
	err = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return err
		case tenants.Ignored(name) && e.IsDir():
			return fs.SkipDir
		case tenants.Ignored(name):
			return nil
		}
		return add(t, root, name, e)
	})
	if err != nil {
		return fmt.Errorf("packing %s: %w", dir, err)
	}
	return errors.Join(t.Close(), z.Close())
}

func add(to *tar.Writer, root *os.Root, name string, e fs.DirEntry) error {
	if e.IsDir() {
		return to.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755})
	}
	if err := checkKind(name, e.Type()); err != nil {
		return err
	}
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	err = to.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: info.Size(), ModTime: info.ModTime()})
	if err != nil {
		return err
	}
	_, err = io.Copy(to, f)
	return err
}
