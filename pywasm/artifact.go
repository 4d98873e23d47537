package pywasm

import (
	"archive/zip"
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Names of the files in the artifact folder.
const (
	WasmFile     = "python.wasm"
	RootFSFile   = "rootfs.zip"
	ManifestFile = "manifest.json"
)

//go:embed all:artifact
var embedded embed.FS

// ErrMissing says that this binary was built without the guest.
var ErrMissing = errors.New("the guest is not built: run `make guest`")

// An Artifact is a finished guest. It is immutable, and safe for use by
// several goroutines.
type Artifact struct {
	wasm     []byte
	archive  *io.SectionReader
	rootFS   *zip.Reader
	manifest Manifest
}

// Load returns the guest that is embedded in this binary. The error is
// ErrMissing when there is none.
func Load() (*Artifact, error) {
	dir, err := fs.Sub(embedded, "artifact")
	if err != nil {
		return nil, err
	}
	return Open(dir)
}

// Open returns the guest in a folder. The error is ErrMissing when one of
// its files is not there.
func Open(dir fs.FS) (*Artifact, error) {
	a := &Artifact{}
	text, err := read(dir, ManifestFile)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &a.manifest); err != nil {
		return nil, fmt.Errorf("the guest's %s is damaged: %w: run `make guest`", ManifestFile, err)
	}
	if a.wasm, err = read(dir, WasmFile); err != nil {
		return nil, err
	}
	if a.archive, err = openArchive(dir); err != nil {
		return nil, err
	}
	if err := a.checkSizes(); err != nil {
		return nil, err
	}
	a.rootFS, err = zip.NewReader(a.archive, a.archive.Size())
	if err != nil {
		return nil, fmt.Errorf("the guest's %s is damaged: %w: run `make guest`", RootFSFile, err)
	}
	return a, nil
}

// read returns the bytes of a file of the artifact.
func read(dir fs.FS, name string) ([]byte, error) {
	b, err := fs.ReadFile(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	return b, err
}

// openArchive returns the root file system without a copy of its 6 MiB, when
// the folder is embedded. The file is never closed: it is part of the binary.
func openArchive(dir fs.FS) (*io.SectionReader, error) {
	f, err := dir.Open(RootFSFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if at, ok := f.(io.ReaderAt); ok {
		return io.NewSectionReader(at, 0, info.Size()), nil
	}
	b, err := io.ReadAll(f)
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), errors.Join(err, f.Close())
}

// checkSizes tells whether the files are those that the manifest lists.
func (a *Artifact) checkSizes() error {
	have := map[string]int64{WasmFile: int64(len(a.wasm)), RootFSFile: a.archive.Size()}
	for _, f := range a.manifest.Outputs {
		if have[f.Name] != f.Size {
			return fmt.Errorf("the guest's %s has %d bytes, its manifest says %d: run `make guest`", f.Name, have[f.Name], f.Size)
		}
		delete(have, f.Name)
	}
	if len(have) > 0 {
		return fmt.Errorf("the guest's %s does not list all files: run `make guest`", ManifestFile)
	}
	return nil
}

// Wasm returns the module, in memory as long as somebody holds it. Do not
// change it.
func (a *Artifact) Wasm() []byte { return a.wasm }

// RootFSArchive returns the archive of the root file system, from its beginning.
func (a *Artifact) RootFSArchive() io.Reader {
	return io.NewSectionReader(a.archive, 0, a.archive.Size())
}

// RootFS returns the guest's root file system. Times are fixed, names sorted.
func (a *Artifact) RootFS() *zip.Reader { return a.rootFS }

// Manifest returns what the guest was made of.
func (a *Artifact) Manifest() Manifest { return a.manifest }
