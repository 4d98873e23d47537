package pywasm_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/wasgi/wasgi/pywasm"
)

// guest makes a small artifact, changed by a function.
func guest(t *testing.T, change func(fstest.MapFS)) fstest.MapFS {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if _, err := z.Create("usr/"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	m := pywasm.Manifest{Format: 1, Python: "3.13.5", Outputs: []pywasm.File{
		{Name: pywasm.WasmFile, SHA256: "ab", Size: 4},
		{Name: pywasm.RootFSFile, SHA256: "cd", Size: int64(b.Len())},
	}}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	dir := fstest.MapFS{
		pywasm.WasmFile:     {Data: []byte("\x00asm")},
		pywasm.RootFSFile:   {Data: b.Bytes()},
		pywasm.ManifestFile: {Data: text},
	}
	change(dir)
	return dir
}

// TestOpen reads a whole artifact.
func TestOpen(t *testing.T) {
	a, err := pywasm.Open(guest(t, func(fstest.MapFS) {}))
	if err != nil {
		t.Fatal(err)
	}
	if string(a.Wasm()) != "\x00asm" || a.RootFS().File[0].Name != "usr/" || a.Manifest().Python != "3.13.5" {
		t.Errorf("artifact %q, %q, %+v", a.Wasm(), a.RootFS().File[0].Name, a.Manifest())
	}
	if d := a.Manifest().Digest(pywasm.WasmFile); d != "ab" {
		t.Errorf("digest %q, want ab", d)
	}
}

// TestMissing has the same answer whatever file is missing.
func TestMissing(t *testing.T) {
	for _, name := range []string{pywasm.WasmFile, pywasm.RootFSFile, pywasm.ManifestFile} {
		_, err := pywasm.Open(guest(t, func(dir fstest.MapFS) { delete(dir, name) }))
		if !errors.Is(err, pywasm.ErrMissing) {
			t.Errorf("without %s: %v, want ErrMissing", name, err)
		}
	}
	if pywasm.ErrMissing.Error() != "the guest is not built: run `make guest`" {
		t.Errorf("ErrMissing says %q", pywasm.ErrMissing)
	}
}

// TestDamaged says which file is damaged, and what to do.
func TestDamaged(t *testing.T) {
	for name, data := range map[string]string{
		pywasm.WasmFile:     "\x00asm and more",
		pywasm.RootFSFile:   "short",
		pywasm.ManifestFile: "{",
	} {
		_, err := pywasm.Open(guest(t, func(dir fstest.MapFS) { dir[name] = &fstest.MapFile{Data: []byte(data)} }))
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "make guest") {
			t.Errorf("damaged %s: %v", name, err)
		}
	}
}
