package sandbox

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/wasgi/wasgi/abi/tck"
)

// wantNoGuard, in the environment, says that address space is limited.
const wantNoGuard = "WASGI_TEST_NO_GUARD"

// TestGuarded: memories have a guard where faults can be caught and address space is free.
func TestGuarded(t *testing.T) {
	want := runtime.GOARCH == "amd64" && os.Getenv(wantNoGuard) == ""
	in := instanceOf(t, tck.Echo())
	if in.engine.guarded != want || in.memory.guarded != want {
		t.Errorf("engine %v, memory %v, want %v", in.engine.guarded, in.memory.guarded, want)
	}
	size := in.memory.limit
	if want {
		size = guardSpan
	}
	if len(in.memory.base) != int(in.memory.limit) || len(in.memory.space) != int(size) {
		t.Errorf("%d of %d bytes, want %d of %d", len(in.memory.base), len(in.memory.space), in.memory.limit, size)
	}
}

// TestWithoutGuard runs the tests of guests that end badly in a process whose address
// space is limited: there each access is compared.
func TestWithoutGuard(t *testing.T) {
	if os.Getenv(wantNoGuard) != "" {
		t.Skip("this is that process")
	}
	cmd := exec.Command("sh", "-c", `ulimit -v 8000000 && exec "$0" -test.run '^(TestGuarded|TestServeUnusable|TestServeOutOfBounds)$'`, os.Args[0])
	cmd.Env = append(os.Environ(), wantNoGuard+"=1")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, said)
	}
}

// TestImageRefused: where the kernel refuses to map an image, nobody may touch anything.
func TestImageRefused(t *testing.T) {
	m, err := newMemory(1<<20, true)
	must(t, err)
	must(t, commit(m.base[:wasmPage]))
	m.base[0] = 1
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "image"), os.O_CREATE|os.O_WRONLY, 0o600) // which cannot be read
	must(t, err)
	defer f.Close()
	if err := m.view(&storage{file: f, size: wasmPage}); !errors.Is(err, os.ErrPermission) || errors.Is(err, errHole) {
		t.Errorf("got %v", err)
	}
	if !faults(&m.base[0]) || m.floor != 0 {
		t.Errorf("what is there can be read, or is taken for an image of %d bytes", m.floor)
	}
	must(t, m.release())
}

// faults says whether an address cannot be read.
func faults(p *byte) (yes bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { yes = recover() != nil }()
	return *p == 255
}
