package pywasm

import (
	"archive/zip"
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
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
	archive  []byte
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
	if a.archive, err = read(dir, RootFSFile); err != nil {
		return nil, err
	}
	if err := a.checkSizes(); err != nil {
		return nil, err
	}
	a.rootFS, err = zip.NewReader(bytes.NewReader(a.archive), int64(len(a.archive)))
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

// checkSizes tells whether the files are those that the manifest lists.
func (a *Artifact) checkSizes() error {
	have := map[string]int64{WasmFile: int64(len(a.wasm)), RootFSFile: int64(len(a.archive))}
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

// Wasm returns the module. Do not change it.
func (a *Artifact) Wasm() []byte { return a.wasm }

// RootFS returns the guest's root file system. Times are fixed, names sorted.
func (a *Artifact) RootFS() *zip.Reader { return a.rootFS }

// RootFSBytes returns the archive of the root file system. Do not change it.
func (a *Artifact) RootFSBytes() []byte { return a.archive }

// Manifest returns what the guest was made of.
func (a *Artifact) Manifest() Manifest { return a.manifest }
