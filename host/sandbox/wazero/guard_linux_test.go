package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// guards is an experimental.GuardedMemoryAllocator of the patched wazero. The
// released one takes it for an allocator like any other.
type guards struct{ t *testing.T }

func (guards) Guards() bool { return true }

// Allocate implements experimental.MemoryAllocator.
func (g guards) Allocate(_, most uint64) experimental.LinearMemory {
	const span = 1<<32 + 1<<31
	space, err := unix.Mmap(-1, 0, span, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		g.t.Error(err)
		return nil
	}
	return &guarded{space, most, g.t}
}

type guarded struct {
	space []byte
	most  uint64
	t     *testing.T
}

// Reallocate implements experimental.LinearMemory.
func (m *guarded) Reallocate(size uint64) []byte {
	if size > m.most || size > 0 && unix.Mprotect(m.space[:size], unix.PROT_READ|unix.PROT_WRITE) != nil {
		return nil
	}
	return m.space[:size:size]
}

// Free implements experimental.LinearMemory. wazero calls it when nothing runs any more.
func (m *guarded) Free() {
	if err := unix.Munmap(m.space); err != nil {
		m.t.Error(err)
	}
}

// withGuards has modules compiled for memories with a guard, and gives them such memories.
func withGuards(t *testing.T) context.Context {
	return experimental.WithMemoryAllocator(t.Context(), guards{t})
}

// accesses has a function for each width, at each of some offsets, and one that
// recurses before it accesses.
func accesses() string {
	var b strings.Builder
	b.WriteString("(module (memory (export \"memory\") 1 3)\n")
	b.WriteString(`(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))` + "\n")
	b.WriteString(`(func $deep (export "deep") (param i32 i32) (result i32)
		(if (result i32) (local.get 1)
			(then (i32.add (call $deep (local.get 0) (i32.sub (local.get 1) (i32.const 1))) (i32.load (i32.const 8))))
			(else (i32.load (local.get 0)))))` + "\n")
	b.WriteString(`(func (export "dropped") (param i32) (drop (i64.load (local.get 0))))` + "\n")
	b.WriteString(`(func (export "fill") (param i32) (memory.fill (local.get 0) (i32.const 1) (i32.const 2)))` + "\n")
	b.WriteString(`(func (export "both") (param i32) (i64.store offset=4 (local.get 0) (i64.load (local.get 0))))` + "\n")
	for _, offset := range offsets() {
		for _, width := range []string{"8", "16", "32", "64"} {
			load, store := "i64.load"+width+"_u", "i64.store"+width
			if width == "64" {
				load, store = "i64.load", "i64.store"
			}
			fmt.Fprintf(&b, "(func (export \"load%s+%d\") (param i32) (result i64) (%s offset=%d (local.get 0)))\n", width, offset, load, offset)
			fmt.Fprintf(&b, "(func (export \"store%s+%d\") (param i32) (%s offset=%d (local.get 0) (i64.const -1)))\n", width, offset, store, offset)
		}
	}
	return b.String() + ")"
}

func offsets() []uint64 {
	return []uint64{0, 1, 65535, 65536, 1<<31 - 8, 1<<31 - 1, 1 << 31, 1<<32 - 1}
}

func assemble(t *testing.T, text string) []byte {
	t.Helper()
	if _, err := exec.LookPath("wasm-opt"); err != nil {
		t.Skip("the program wasm-opt is missing; make build installs it")
	}
	in, out := filepath.Join(t.TempDir(), "in.wat"), filepath.Join(t.TempDir(), "out.wasm")
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("wasm-opt", in, "--enable-bulk-memory", "--enable-sign-ext", "--enable-nontrapping-float-to-int", "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("wasm-opt: %v: %s", err, said)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// instance is a new one of the module, in a memory with a guard.
func instance(t *testing.T, module []byte) api.Module {
	t.Helper()
	ctx := withGuards(t)
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	in, err := r.Instantiate(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// wantAccess calls a function, and compares whether it traps with whether the bytes
// from at on are in the memory.
func wantAccess(t *testing.T, in api.Module, name string, address uint32, at, width uint64) {
	t.Helper()
	_, err := in.ExportedFunction(name).Call(t.Context(), uint64(address))
	inside := at+width <= uint64(in.Memory().Size())
	switch {
	case inside && err != nil:
		t.Errorf("%s(%d): %v", name, address, err)
	case !inside && (err == nil || short(err) != "wasm error: out of bounds memory access"):
		t.Errorf("%s(%d): %v, want a trap", name, address, err)
	}
}

// TestGuardEdges accesses each side of every edge, before and after growing.
func TestGuardEdges(t *testing.T) {
	in := instance(t, assemble(t, accesses()))
	for pages := uint64(1); pages <= 3; pages++ {
		size := pages << 16
		for _, offset := range offsets() {
			for width, name := range map[uint64]string{1: "8", 2: "16", 4: "32", 8: "64"} {
				for _, address := range []uint64{0, 1, size - width, size - width + 1, size - 1, size, 1<<31 - 1, 1 << 31, 1<<32 - 8, 1<<32 - 1,
					size - offset, size - width - offset, size - width - offset + 1} {
					address := uint32(address)
					at := uint64(address) + offset
					wantAccess(t, in, fmt.Sprintf("load%s+%d", name, offset), address, at, width)
					wantAccess(t, in, fmt.Sprintf("store%s+%d", name, offset), address, at, width)
				}
			}
		}
		for _, address := range []uint64{0, size - 8, size - 7, size, 1<<32 - 1} {
			wantAccess(t, in, "dropped", uint32(address), address, 8)
			wantAccess(t, in, "both", uint32(address), address, 12)
			wantAccess(t, in, "fill", uint32(address), address, 2)
		}
		if _, err := in.ExportedFunction("grow").Call(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGuardOfNothing: a memory that has no pages yet has a guard all the same. wazero
// says that such a one begins at zero, where the program itself is.
func TestGuardOfNothing(t *testing.T) {
	in := instance(t, assemble(t, `(module (memory (export "memory") 0 1)
		(func (export "grow") (result i32) (memory.grow (i32.const 1)))
		(func (export "load") (param i32) (result i64) (i64.load (local.get 0)))
		(func (export "store") (param i32) (i64.store (local.get 0) (i64.const -1))))`))
	text := reflect.ValueOf(wantPanic).Pointer()
	if text != uintptr(uint32(text)) {
		t.Logf("the program is at %#x, where the guest could not reach it", text)
	}
	for _, name := range []string{"load", "store"} {
		wantAccess(t, in, name, uint32(text), uint64(text), 8)
		wantAccess(t, in, name, 0, 0, 8)
	}
	if _, err := in.ExportedFunction("grow").Call(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"load", "store"} {
		wantAccess(t, in, name, 65528, 65528, 8)
		wantAccess(t, in, name, 65529, 65529, 8)
	}
}

// TestGuardLoadsAll: what is loaded traps even if less of it is needed, or nothing.
func TestGuardLoadsAll(t *testing.T) {
	in := instance(t, assemble(t, `(module (memory (export "memory") 1)
		(func (export "wrap") (param i32) (drop (i32.wrap_i64 (i64.load (local.get 0)))))
		(func (export "kept") (param i32) (result i32) (i32.wrap_i64 (i64.load (local.get 0))))
		(func (export "extend8") (param i32) (result i32) (i32.extend8_s (i32.load (local.get 0))))
		(func (export "extend32") (param i32) (result i64) (i64.extend32_s (i64.load (local.get 0))))
		(func (export "select") (param i32) (result f64) (select (f64.load (local.get 0)) (f64.const 1) (i32.const 0)))
		(func (export "shift") (param i32) (result i64) (i64.shl (i64.const 1) (i64.load (local.get 0))))
		(func (export "compare") (param i32) (result i32) (i64.lt_u (i64.load (local.get 0)) (i64.const 1))))`))
	for name, width := range map[string]uint64{"wrap": 8, "kept": 8, "extend8": 4, "extend32": 8, "select": 8, "shift": 8, "compare": 8} {
		for _, at := range []uint64{0, 65536 - width, 65536 - width + 1, 65535, 65536} {
			wantAccess(t, in, name, uint32(at), at, width)
		}
	}
}

// TestGuardSpecification runs the specification's tests on the copy that wasgi is
// built with, in memories with a guard.
func TestGuardSpecification(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	c := copyOf{out: filepath.Join("..", "..", "..", ".wazero")}
	if _, err := os.Stat(filepath.Join(c.src(), ".stamp")); err != nil {
		t.Skip("the patched copy is missing; make patches makes it")
	}
	if err := c.goTest(t.Context(), withGuard()...); err != nil {
		t.Error(err)
	}
}

// TestGuardTraces names the frames of a fault, as a comparison does.
func TestGuardTraces(t *testing.T) {
	in := instance(t, assemble(t, accesses()))
	_, err := in.ExportedFunction("deep").Call(t.Context(), 1<<30, 3)
	if want := "wasm error: out of bounds memory access\nwasm stack trace:" + strings.Repeat("\n\t.$1(i32,i32) i32", 4); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if got, err := in.ExportedFunction("deep").Call(t.Context(), 8, 100); err != nil || got[0] != 0 {
		t.Errorf("afterwards: %v, %v", got, err)
	}
}

// TestGuardAmongOthers faults in many threads at once, while Go's own faults stay
// what they are: a panic that can be recovered from.
func TestGuardAmongOthers(t *testing.T) {
	module := assemble(t, accesses())
	var all sync.WaitGroup
	for range 8 {
		in := instance(t, module)
		all.Go(func() {
			for i := range uint32(500) {
				wantAccess(t, in, "load32+0", 65533+i, uint64(65533+i), 4)
				wantAccess(t, in, "store64+1", i, uint64(i)+1, 8)
				wantPanic(t)
			}
		})
	}
	all.Wait()
}

// wantPanic dereferences nil.
func wantPanic(t *testing.T) {
	defer func() {
		if err, ok := recover().(runtime.Error); !ok || !strings.Contains(err.Error(), "nil pointer dereference") {
			t.Errorf("a nil pointer of Go's: %v", err)
		}
	}()
	var p *int
	*p = 1
}

// TestGuardNeedsOne refuses to put a module that compares nothing into a memory without a guard.
func TestGuardNeedsOne(t *testing.T) {
	module := assemble(t, accesses())
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigCompiler())
	defer r.Close(t.Context())
	compiled, err := r.CompileModule(withGuards(t), module)
	if err != nil {
		t.Fatal(err)
	}
	in, err := r.InstantiateModule(t.Context(), compiled, wazero.NewModuleConfig())
	if !patched(compiled) || runtime.GOARCH != "amd64" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), "compiled for a guarded memory") {
		t.Errorf("%v, %v", in, err)
	}
}

// patched says whether this is wazero with the patches: its modules know of guards then.
func patched(compiled wazero.CompiledModule) bool {
	module, _ := reflect.TypeOf(compiled).Elem().FieldByName("module")
	_, ok := module.Type.Elem().FieldByName("Guarded")
	return ok
}
