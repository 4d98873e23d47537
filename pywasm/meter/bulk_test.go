package meter

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// bulk exports memory.copy as "copy" and memory.fill as "fill", with 8 MiB of
// memory "memory".
func bulk() wasmModule {
	m := spin()
	m.types = vec([]byte{0x60, 0, 1, typeI32}, bulkType())
	m.functions = vec([]byte{1}, []byte{1})
	m.memory = vec([]byte{0, 0x80, 0x01})
	m.exports = vec(cat(str("copy"), []byte{kindFunc, 1}), cat(str("fill"), []byte{kindFunc, 2}), cat(str("memory"), []byte{kindMemory, 0}))
	m.code = vec(
		body(noLocals, opLocalGet, 0, opLocalGet, 1, opLocalGet, 2, opPrefixFC, subCopy, 0, 0, opEnd),
		body(noLocals, opLocalGet, 0, opLocalGet, 1, opLocalGet, 2, opPrefixFC, subFill, 0, opEnd))
	return m
}

// TestBulkInPieces compares with Go's copy: disjoint, and overlapping either
// way, within a piece and over several.
func TestBulkInPieces(t *testing.T) {
	ctx := context.Background()
	m := runBulk(t, ctx)
	memory := m.Memory()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		before, _ := memory.Read(0, memory.Size())
		want := bytes.Clone(before)
		n := random.IntN(3 << 20)
		to, from := random.IntN(len(want)-n), random.IntN(len(want)-n)
		if i%3 == 0 { // close together
			to = min(max(from+random.IntN(3000)-1500, 0), len(want)-n)
		}
		name, second := "copy", uint64(from)
		if i%5 == 0 {
			name, second = "fill", uint64(i)
			for k := range want[to : to+n] {
				want[to+k] = byte(i)
			}
		} else {
			copy(want[to:to+n], want[from:from+n])
		}
		if _, err := m.ExportedFunction(name).Call(ctx, uint64(to), second, uint64(n)); err != nil {
			t.Fatal(err)
		}
		if got, _ := memory.Read(0, memory.Size()); !bytes.Equal(got, want) {
			t.Fatalf("%s(%d, %d, %d) differs", name, to, second, n)
		}
		for range 8 { // so that copies are seen
			memory.WriteUint64Le(uint32(random.IntN(len(want)-8)), random.Uint64())
		}
	}
}

// TestBulkOutOfBounds traps as the instruction does, with a length of zero too.
func TestBulkOutOfBounds(t *testing.T) {
	ctx := context.Background()
	m := runBulk(t, ctx)
	size := uint64(m.Memory().Size())
	for _, p := range [][3]uint64{{size, 0, 1}, {0, size, 1}, {size + 1, 0, 0}, {0, 0, size + 1}, {size - 1, 0, 2}, {0, 0, 1<<32 - 1}} {
		if _, err := m.ExportedFunction("copy").Call(ctx, p[0], p[1], p[2]); err == nil {
			t.Errorf("copy%v did not trap", p)
		}
	}
	if _, err := m.ExportedFunction("copy").Call(ctx, size, size, 0); err != nil {
		t.Errorf("nothing at the end: %v", err)
	}
}

func runBulk(t *testing.T, ctx context.Context) api.Module {
	t.Helper()
	module, stats, err := Instrument(bulk().bytes())
	if err != nil || stats.Bulks != 2 {
		t.Fatalf("%+v, %v", stats, err)
	}
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { rt.Close(ctx) })
	host := rt.NewHostModuleBuilder("wasgi")
	host.NewFunctionBuilder().WithFunc(func() int32 { return 100 }).Export("meter")
	if _, err := host.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	m, err := rt.Instantiate(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
