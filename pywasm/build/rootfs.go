package main

import (
	"archive/zip"
	"compress/flate"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// zipRoot packs the folder root into rootfs.zip. Names are sorted and times
// fixed, so that the same files make the same bytes.
func zipRoot(j *job) error {
	root := filepath.Join(j.out, "root")
	f, err := os.Create(filepath.Join(j.out, "rootfs.zip"))
	if err != nil {
		return err
	}
	if err := zipTree(f, root); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.RemoveAll(root)
}

// zipTree writes a folder and all below it as a zip archive.
func zipTree(w io.Writer, root string) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error { // in order of names
		if err != nil || path == root {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return zipEntry(z, filepath.ToSlash(rel), path, e.IsDir())
	})
	if err != nil {
		return err
	}
	return z.Close()
}

// zipEntry adds one file or folder.
func zipEntry(z *zip.Writer, name, path string, dir bool) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch()}
	if dir {
		h.Name, h.Method = name+"/", zip.Store
		h.SetMode(fs.ModeDir | 0o555)
		_, err := z.CreateHeader(h)
		return err
	}
	h.SetMode(0o444)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
