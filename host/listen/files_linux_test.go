package listen

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// tableSize is how many descriptors the kernel's table has room for.
func tableSize(t *testing.T) (size uint64) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "FDSize: %d", &size); err == nil {
			return size
		}
	}
	t.Fatalf("no FDSize in %s", text)
	return 0
}

func TestReserveFiles(t *testing.T) {
	before, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	if err := ReserveFiles(); err != nil {
		t.Fatal(err)
	}
	if got, want := tableSize(t), min(FileLimit(), mostAhead); got < want {
		t.Errorf("room for %d descriptors, want %d", got, want)
	}
	after, err := os.ReadDir("/proc/self/fd")
	if err != nil || len(after) != len(before) {
		t.Errorf("%d descriptors are open, %d were (%v)", len(after), len(before), err)
	}
}
