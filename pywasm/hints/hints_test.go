package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/pywasm/branchhint"
)

func TestHints(t *testing.T) {
	before := map[branchhint.Branch][2]uint64{{Function: 7, Offset: 20}: {1000, 1000}}
	after := map[branchhint.Branch][2]uint64{
		{Function: 7, Offset: 20}:  {1003, 1500}, // not taken in 3 of 200 requests
		{Function: 7, Offset: 4}:   {200, 3},     // taken in 3
		{Function: 7, Offset: 9}:   {200, 4},     // taken in 4: often enough
		{Function: 7, Offset: 12}:  {3, 3},       // hardly reached
		{Function: 7, Offset: 30}:  {0, 0},
		{Function: 2, Offset: 8}:   {100_000, 1_999}, // once in fifty times
		{Function: 2, Offset: 9}:   {100_000, 2_000},
		{Function: 2, Offset: 300}: {0, 4},
	}
	want := []branchhint.Function{
		{Index: 2, Hints: []branchhint.Hint{{Offset: 8}, {Offset: 300, Likely: true}}},
		{Index: 7, Hints: []branchhint.Hint{{Offset: 4}, {Offset: 20, Likely: true}}},
	}
	if got := hints(before, after, 200); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestRecord makes the hints of the guest that is built once more.
func TestRecord(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	artifact := filepath.Join("..", "artifact")
	built, err := os.ReadFile(filepath.Join(artifact, "python.wasm"))
	if err != nil {
		t.Skip("the guest is not built; make guest builds it")
	}
	plain, err := branchhint.Remove(built)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := options{wasm: filepath.Join(dir, "in.wasm"), root: filepath.Join(artifact, "rootfs.zip"), out: filepath.Join(dir, "out.wasm")}
	if err := os.WriteFile(o.wasm, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), o)
	if errors.Is(err, errNoCounts) {
		t.Skip("the released wazero does not count; make test has the patched one")
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(o.out)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := branchhint.Remove(out); err != nil || !bytes.Equal(back, plain) {
		t.Errorf("the module is another but for its hints: %v", err)
	}
	if !bytes.Equal(built, plain) && !bytes.Equal(built, out) { // a quick build has none
		t.Error("the hints are others than those of the build: two builds of the same sources differ, or the guest is older than its sources (make guest)")
	}
	if least := 30_000; len(out)-len(plain) < least { // ten thousand branches, of 271,000
		t.Errorf("%d bytes of hints, want %d at least", len(out)-len(plain), least)
	}
	o.wasm = o.out
	if err := run(t.Context(), o); err == nil || err.Error() != o.out+": the module has branch hints already" {
		t.Errorf("a second time: %v", err)
	}
}

// TestOptions: what is missing is said.
func TestOptions(t *testing.T) {
	for _, args := range [][]string{nil, {"--wasm", "a", "--root", "b"}, {"--wasm", "a", "--root", "b", "--out", "c", "d"}} {
		if _, err := parse(args); err == nil || !strings.Contains(err.Error(), "have to be named") {
			t.Errorf("%v: %v", args, err)
		}
	}
	o, err := parse([]string{"--wasm", "a", "--root", "b", "--out", "c"})
	if err != nil || o != (options{wasm: "a", root: "b", out: "c"}) {
		t.Errorf("%+v, %v", o, err)
	}
}
