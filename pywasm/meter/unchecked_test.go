package meter

import (
	"bytes"
	"testing"
)

// What Unchecked returns has the counter of the metered module and the code of
// the module.
func TestUncheckedLeavesTheCode(t *testing.T) {
	module := spin().bytes()
	out, err := Unchecked(module)
	if err != nil {
		t.Fatal(err)
	}
	before, err := splitSections(module)
	if err != nil {
		t.Fatal(err)
	}
	after, err := splitSections(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(find(before, secCode), find(after, secCode)) {
		t.Error("the code has changed")
	}
	m, err := decodeInterface(after)
	if err != nil || !m.names[exportFuel] {
		t.Errorf("the result does not export %s: %v", exportFuel, err)
	}
}

func TestUncheckedRefuses(t *testing.T) {
	if _, err := Unchecked([]byte("no module")); err == nil {
		t.Error("accepted what is no module")
	}
}
