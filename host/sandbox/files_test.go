package sandbox

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wasgi/wasgi/abi/tck"
	"github.com/wasgi/wasgi/wasi"
)

// filePolicy has tck.FileName in /tmp, read-only.
func filePolicy(t testing.TB) wasi.Policy {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, tck.FileName), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	return wasi.Policy{Mounts: []wasi.Mount{{Guest: "/tmp", Open: func() (wasi.FS, error) { return wasi.ReadOnlyDir(dir) }}}}
}
