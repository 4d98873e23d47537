package sandbox

import (
	"os"
	"os/exec"
	"runtime"
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
