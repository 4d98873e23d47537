package main

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wasgi/wasgi/pywasm/branchhint"
)

// hinted returns a module with hints for two thirds of its branches, at random. The
// released wazero does not say where they are: the module has none then.
func hinted(t *testing.T, module []byte, r *rand.Rand) []byte {
	t.Helper()
	var c branchhint.Counts
	runtime := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigCompiler())
	defer runtime.Close(t.Context())
	if _, err := runtime.CompileModule(c.In(t.Context()), module); err != nil {
		t.Fatal(err)
	}
	likely := map[branchhint.Branch]bool{}
	for _, at := range slices.SortedFunc(maps.Keys(c.Now()), branchhint.Branch.Compare) {
		if n := r.IntN(3); n < 2 {
			likely[at] = n == 1
		}
	}
	out, err := branchhint.Insert(module, branchhint.Functions(likely))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// branching has a br_if at offset 13 of function 1, and an if at 23.
const branching = `(module
  (import "env" "f" (func))
  (func (export "g") (param i32) (result i32) (local i64) (local i32)
    (block $out
      (local.set 2 (i32.const 5))
      (br_if $out (local.get 0))
      (local.set 2 (i32.const 6)))
    (if (i32.eqz (local.get 0)) (then (local.set 2 (i32.add (local.get 2) (i32.const 7)))))
    (local.get 2)))`

// TestCounts: a branch counts where it is, in the function with its locals, and
// what it did.
func TestCounts(t *testing.T) {
	needPatched(t)
	var c branchhint.Counts
	ctx := c.In(t.Context())
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	defer runtime.Close(ctx)
	if _, err := runtime.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(func() {}).Export("f").Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	in, err := runtime.Instantiate(ctx, assemble(t, branching))
	if err != nil {
		t.Fatal(err)
	}
	for _, arg := range []uint64{0, 1, 1 << 31, 0, 2} {
		want := uint64(5)
		if arg == 0 {
			want = 13
		}
		if got, err := in.ExportedFunction("g").Call(ctx, arg); err != nil || got[0] != want {
			t.Errorf("g(%d) is %v, %v, want %d", arg, got, err, want)
		}
	}
	want := map[branchhint.Branch][2]uint64{{Function: 1, Offset: 13}: {2, 3}, {Function: 1, Offset: 23}: {3, 2}}
	if got := c.Now(); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// needPatched skips a test of what the released wazero does not do.
func needPatched(t *testing.T) {
	t.Helper()
	runtime := wazero.NewRuntime(t.Context())
	defer runtime.Close(t.Context())
	compiled, err := runtime.CompileModule(t.Context(), assembled())
	if err != nil {
		t.Fatal(err)
	}
	if !patched(compiled) {
		t.Skip("the released wazero counts nothing and heeds no hints; make test has the patched one")
	}
	if goruntime.GOARCH != "amd64" {
		t.Skip("code is moved for amd64 only")
	}
}

// TestHints: a hint moves code; what cannot be understood, or is about no branch,
// moves nothing.
func TestHints(t *testing.T) {
	needPatched(t)
	module := assemble(t, branching)
	insert := func(f ...branchhint.Function) []byte {
		out, err := branchhint.Insert(module, f)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	hint := func(offset uint32, likely bool) branchhint.Function {
		return branchhint.Function{Index: 1, Hints: []branchhint.Hint{{Offset: offset, Likely: likely}}}
	}
	plain, moved := code(t, module), code(t, insert(hint(13, true)))
	if bytes.Equal(code(t, insert(hint(13, false))), moved) {
		t.Error("the opposite hint has the same effect")
	}
	if bytes.Equal(plain, moved) {
		t.Error("a hint has no effect")
	}
	for name, other := range map[string][]byte{
		"no branch there":       insert(hint(14, true)),
		"another function":      insert(branchhint.Function{Index: 0, Hints: hint(13, true).Hints}),
		"not in order":          insert(hint(13, true), hint(13, true)),
		"no function like that": insert(branchhint.Function{Index: 1 << 31, Hints: hint(13, true).Hints}),
	} {
		if !bytes.Equal(code(t, other), plain) {
			t.Errorf("%s: the code is another", name)
		}
	}
}

// code is what a module is compiled to.
func code(t *testing.T, module []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	runtime := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigCompiler().WithCompilationCache(cache))
	defer runtime.Close(t.Context())
	if _, err := runtime.CompileModule(t.Context(), module); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzHints: no content of the section makes a module another one.
func FuzzHints(f *testing.F) {
	f.Add([]byte{1, 1, 2, 13, 1, 0, 23, 1, 1})
	f.Add([]byte{1, 1, 0xff, 0xff, 0xff, 0xff, 0xf, 13, 1, 0})
	f.Fuzz(func(t *testing.T, content []byte) {
		name := "metadata.code.branch_hint"
		body := append([]byte{byte(len(name))}, append([]byte(name), content...)...)
		module := slices.Clone(assembled())
		section := append(binary.AppendUvarint([]byte{0}, uint64(len(body))), body...)
		runtime := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigCompiler())
		defer runtime.Close(t.Context())
		in, err := runtime.Instantiate(t.Context(), slices.Insert(module, 8, section...))
		if err != nil {
			t.Fatal(err)
		}
		for arg, want := range []uint64{6 + 7, 5} {
			if got, err := in.ExportedFunction("g").Call(t.Context(), uint64(arg)); err != nil || got[0] != want {
				t.Errorf("g(%d) is %v, %v, want %d", arg, got, err, want)
			}
		}
	})
}

// assembled is the module branching without its import: a fuzz worker starts no programs.
func assembled() []byte {
	return []byte("\x00asm\x01\x00\x00\x00" +
		"\x01\x09\x02\x60\x00\x00\x60\x01\x7f\x01\x7f" +
		"\x03\x03\x02\x00\x01" +
		"\x07\x05\x01\x01g\x00\x01" +
		"\x0a\x29\x02\x02\x00\x0b\x24\x02\x01\x7e\x01\x7f\x02\x40\x41\x05\x21\x02\x20\x00\x0d\x00\x41\x06\x21\x02\x0b" +
		"\x20\x00\x45\x04\x40\x20\x02\x41\x07\x6a\x21\x02\x0b\x20\x02\x0b")
}
