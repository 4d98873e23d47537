package bundle

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/klauspost/compress/gzip"

	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/tenants/byfolder"
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
	if err := archive(z, root); err != nil {
		return fmt.Errorf("packing %s: %w", dir, err)
	}
	return z.Close()
}

func archive(to io.Writer, root *os.Root) error {
	t := tar.NewWriter(to)
	err := byfolder.Walk(root, func(in *os.Root, name string, e fs.DirEntry) error {
		switch {
		case tenants.Ignored(name) && e.IsDir():
			return fs.SkipDir
		case tenants.Ignored(name):
			return nil
		}
		return add(t, in, name, e)
	})
	if err != nil {
		return err
	}
	return t.Close()
}

func add(to *tar.Writer, in *os.Root, name string, e fs.DirEntry) error {
	if e.IsDir() {
		return to.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755})
	}
	if err := checkKind(name, e.Type()); err != nil {
		return err
	}
	f, err := in.Open(path.Base(name))
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
