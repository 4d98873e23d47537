package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/wasgi/wasgi/pywasm"
	"github.com/wasgi/wasgi/pywasm/meter"
)

// outputs names what the build makes, and the step that makes it.
func outputs() map[string]string {
	return map[string]string{
		pywasm.WasmFile:     "hints",
		pywasm.RootFSFile:   "rootfs",
		pywasm.ManifestFile: "manifest",
	}
}

// writeManifest says what went into the guest, and what came out.
func writeManifest(j *job) error {
	m := pywasm.Manifest{Format: 1, Release: release, Recipes: map[string]string{}}
	var stats meter.Stats
	for path, v := range map[string]any{
		filepath.Join(j.need("fetch"), "sources.json"):  &m.Sources,
		filepath.Join(j.need("tools"), "versions.json"): &m.Tools,
		filepath.Join(j.need("meter"), "stats.json"):    &stats,
	} {
		if err := readJSON(path, v); err != nil {
			return err
		}
	}
	m.Python, m.Loops, m.Functions = pins()[0].version, stats.Loops, stats.Functions
	for _, name := range []string{"sqlite", "openssl", "cross", "link", "optimise"} {
		m.Recipes[name] = recipe(name)
	}
	for _, name := range []string{pywasm.WasmFile, pywasm.RootFSFile} {
		f, err := describe(filepath.Join(j.need(outputs()[name]), name))
		if err != nil {
			return err
		}
		m.Outputs = append(m.Outputs, pywasm.File{Name: f.Name, SHA256: string(f.SHA256), Size: f.Size})
	}
	return writeJSON(filepath.Join(j.out, pywasm.ManifestFile), m)
}

// deliver copies the outputs that the folder does not have yet.
func (b *builder) deliver(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, step := range outputs() {
		if err := copyIfOther(filepath.Join(b.out(step), name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// copyIfOther makes dst a copy of src, in one move, unless it is one already.
func copyIfOther(src, dst string) error {
	want, err := fileDigest(src)
	if err != nil {
		return err
	}
	if have, err := fileDigest(dst); err == nil && have == want {
		return nil
	}
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp, err := os.CreateTemp(filepath.Dir(dst), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := io.Copy(tmp, in); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), dst)
}
