package pywasm_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasgi/wasgi/pywasm"
	"github.com/wasgi/wasgi/pywasm/meter"
)

// built returns the guest, or skips the test.
func built(t *testing.T) *pywasm.Artifact {
	t.Helper()
	a, err := pywasm.Load()
	if errors.Is(err, pywasm.ErrMissing) {
		t.Skip("the guest is not built: run `make guest`")
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestGuestCompiles compiles the guest and looks at its face.
func TestGuestCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("compiling the guest takes seconds; -short is set")
	}
	a := built(t)
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	c, err := rt.CompileModule(experimental.WithCompilationWorkers(ctx, 2), a.Wasm())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.ImportedFunctions() {
		if m, name, _ := f.Import(); m != "wasgi" && m != "wasgi_files" && m != "wasgi_socket" && m != "wasi_snapshot_preview1" {
			t.Errorf("the guest imports %s.%s", m, name)
		}
	}
	if _, ok := c.ExportedFunctions()["_initialize"]; !ok {
		t.Error("the guest is no reactor: it has no _initialize")
	}
	if _, ok := c.ExportedMemories()["memory"]; !ok {
		t.Error("the guest does not export its memory")
	}
}

// TestGuestIsMetered makes sure that the pass ran: it refuses a second time.
func TestGuestIsMetered(t *testing.T) {
	a := built(t)
	if _, _, err := meter.Instrument(a.Wasm()); err == nil {
		t.Error("the guest is not metered")
	}
	if a.Manifest().Loops < 1000 {
		t.Errorf("the manifest says that %d loops are metered", a.Manifest().Loops)
	}
}

// TestGuestDigests compares the files with the manifest.
func TestGuestDigests(t *testing.T) {
	a := built(t)
	for name, data := range map[string]io.Reader{pywasm.WasmFile: bytes.NewReader(a.Wasm()), pywasm.RootFSFile: a.RootFSArchive()} {
		sum := sha256.New()
		if _, err := io.Copy(sum, data); err != nil {
			t.Fatal(err)
		}
		if got, want := hex.EncodeToString(sum.Sum(nil)), a.Manifest().Digest(name); got != want {
			t.Errorf("%s has the digest %s, its manifest says %s", name, got, want)
		}
	}
}

// TestGuestRoot looks for what the interpreter cannot start without.
func TestGuestRoot(t *testing.T) {
	root := built(t).RootFS()
	for _, name := range []string{
		"usr/lib/python3.13/os.py",
		"usr/lib/python3.13/__pycache__/os.cpython-313.pyc",
		"usr/lib/python3.13/encodings/__pycache__/utf_8.cpython-313.pyc",
		"usr/lib/python3.13/_sysconfigdata__wasi_wasm32-wasi.py",
		"usr/lib/python3.13/site-packages",
		"usr/share/zoneinfo/Europe/Berlin",
		"usr/share/zoneinfo/US/Pacific",
		"app", "data", "tmp",
	} {
		if _, err := fs.Stat(root, name); err != nil {
			t.Errorf("the root file system: %v", err)
		}
	}
}
