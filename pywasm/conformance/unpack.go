package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// unpackInto fills a folder that appears whole or not at all. What is there
// already is kept: the folder's name holds the digest of what it came from.
func unpackInto(dir string, fill func(root *os.Root) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "unpacking-")
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(tmp)
	if err != nil {
		return err
	}
	err = errors.Join(fill(root), root.Close(), os.Chmod(tmp, 0o755))
	if err == nil {
		err = os.Rename(tmp, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return nil
}

// untar unpacks a source distribution without its first folder.
func untar(root *os.Root, archive string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		_, name, ok := strings.Cut(h.Name, "/")
		if !ok || name == "" || h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if err := unpackEntry(root, name, h.FileInfo().Mode(), h.Linkname, t); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

// unzip unpacks a wheel as pip would install it, but for scripts.
func unzip(root *os.Root, archive string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, e := range z.File {
		r, err := e.Open()
		if err != nil {
			return err
		}
		err = unpackEntry(root, e.Name, e.Mode(), "", r)
		if err := errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return nil
}

// unpackEntry makes one folder, file or link below root, which nothing leaves.
func unpackEntry(root *os.Root, name string, mode os.FileMode, target string, r io.Reader) error {
	name = path.Clean(name)
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	switch {
	case mode.IsDir():
		return root.MkdirAll(name, 0o755)
	case mode&os.ModeSymlink != 0:
		return root.Symlink(target, name)
	case !mode.IsRegular():
		return errors.New("neither a file nor a folder")
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644|mode.Perm()&0o111)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
