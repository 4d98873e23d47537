package meter

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// TestCheckCode keeps the bytes that stand behind a loop.
func TestCheckCode(t *testing.T) {
	want := []byte{
		0x23, 2, // global.get 2
		0x41, 1, 0x6b, // i32.const 1, i32.sub
		0x24, 2, // global.set 2
		0x23, 2, 0x41, 0, 0x4c, // global.get 2, i32.const 0, i32.le_s
		0x04, 0x40, 0x10, 7, 0x24, 2, 0x0b, // if, call 7, global.set 2, end
	}
	if got := (checker{fuel: 2, meter: 7}).loop(); !bytes.Equal(got, want) {
		t.Errorf("loop = % x, want % x", got, want)
	}
}

// TestBulkIsACall keeps the bytes in the place of a copy and of a fill.
func TestBulkIsACall(t *testing.T) {
	c := checker{bulk: 300}
	if got := c.call([]byte{opPrefixFC, subCopy, 0, 0}); !bytes.Equal(got, []byte{opCall, 0xac, 0x02}) {
		t.Errorf("copy: % x", got)
	}
	if got := c.call([]byte{opPrefixFC, subFill, 0}); !bytes.Equal(got, []byte{opCall, 0xad, 0x02}) {
		t.Errorf("fill: % x", got)
	}
}

// TestGolden keeps the whole result for a small module.
func TestGolden(t *testing.T) {
	got, stats, err := Instrument(spin().bytes())
	if err != nil {
		t.Fatal(err)
	}
	m := spin()
	m.globals = []byte{1, 0x7f, 1, 0x41, 0xc0, 0x84, 0x3d, 0x0b}
	m.exports = vec(cat(str("spin"), []byte{kindFunc, 1}), cat(str("wasgi_fuel"), []byte{kindGlobal, 0}))
	m.code = vec(body(noLocals, append(append([]byte{opLoop, blockVoid}, checker{}.loop()...),
		0x20, 0, opI32Const, 1, opI32Sub, 0x22, 0, 0x0d, 0, opEnd, opEnd)...))
	if want := m.bytes(); !bytes.Equal(got, want) {
		t.Errorf("got  % x\nwant % x", got, want)
	}
	if stats.Loops != 1 || stats.Functions != 1 || stats.Globals != 1 || stats.After != len(got) {
		t.Errorf("stats = %+v", stats)
	}
}

// TestCallsMeter runs a metered module and counts.
func TestCallsMeter(t *testing.T) {
	for _, c := range []struct{ fuel, loops, want int }{
		{fuel: 1000, loops: 999, want: 0},
		{fuel: 1000, loops: 1000, want: 1},
		{fuel: 1000, loops: 1099, want: 1},
		{fuel: 1000, loops: 1100, want: 2},
		{fuel: 1, loops: 1, want: 1},
		{fuel: 0, loops: 1, want: 1},
		{fuel: -5, loops: 250, want: 3},
	} {
		if got := countCalls(t, spin(), c.fuel, c.loops); got != c.want {
			t.Errorf("fuel %d, %d loops: meter was called %d times, want %d", c.fuel, c.loops, got, c.want)
		}
	}
}

// TestBulkCallsMeter charges a fill by its length: a unit for each 4 KiB.
func TestBulkCallsMeter(t *testing.T) {
	for _, c := range []struct{ fuel, length, want int }{
		{fuel: 1000, length: 0, want: 0},
		{fuel: 1, length: 4095, want: 0},
		{fuel: 1, length: 4096, want: 1},
		{fuel: 257, length: 1 << 20, want: 0},
		{fuel: 256, length: 1 << 20, want: 1},
		{fuel: 10, length: 1 << 20, want: 1},
		{fuel: 10, length: 5 << 20, want: 5},
	} {
		if got := countCalls(t, fill(), c.fuel, c.length); got != c.want {
			t.Errorf("fuel %d, %d bytes: meter was called %d times, want %d", c.fuel, c.length, got, c.want)
		}
	}
}

// countCalls calls spin with some fuel; meter gives 100 more each time.
func countCalls(t *testing.T, guest wasmModule, fuel, argument int) int {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer rt.Close(ctx)
	calls := 0
	host := rt.NewHostModuleBuilder("wasgi")
	host.NewFunctionBuilder().WithFunc(func() int32 { calls++; return 100 }).Export("meter")
	if _, err := host.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	module, _, err := Instrument(guest.bytes())
	if err != nil {
		t.Fatal(err)
	}
	m, err := rt.Instantiate(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	setFuel(t, m.ExportedGlobal("wasgi_fuel"), fuel)
	if _, err := m.ExportedFunction("spin").Call(ctx, uint64(argument)); err != nil {
		t.Fatal(err)
	}
	return calls
}

// TestRefuses has a module for each reason to refuse one.
func TestRefuses(t *testing.T) {
	with := func(change func(*wasmModule)) []byte {
		m := spin()
		change(&m)
		return m.bytes()
	}
	twice, _, err := Instrument(spin().bytes())
	if err != nil {
		t.Fatal(err)
	}
	code := func(c ...byte) []byte {
		return with(func(m *wasmModule) { m.code = vec(body(noLocals, c...)) })
	}
	for _, c := range []struct {
		name   string
		module []byte
		want   string
	}{
		{"nothing", nil, "no WebAssembly module"},
		{"another version", []byte{0, 'a', 's', 'm', 2, 0, 0, 0}, "no WebAssembly module"},
		{"metered before", twice, "has been metered before"},
		{"no import", with(func(m *wasmModule) { m.imports = nil }), "does not import wasgi.meter"},
		{"import of another type", with(func(m *wasmModule) { m.types = vec([]byte{0x60, 0, 0}, []byte{0x60, 1, 0x7f, 0}) }), "must have the type () -> i32"},
		{"hidden mutable global", with(func(m *wasmModule) { m.globals = vec([]byte{0x7f, 1, 0x41, 0, 0x0b}) }), "global 0 is mutable but not exported"},
		{"SIMD", code(0xfd, 0x0c, opEnd), "SIMD is not supported"},
		{"atomics", code(0xfe, 0, opEnd), "atomics are not supported"},
		{"tail call", code(0x12, 0, opEnd), "opcode 0x12 is not supported"},
		{"exceptions", code(0x06, 0x40, opEnd), "opcode 0x6 is not supported"},
		{"second memory", code(0x28, 0x42, 1, 0, opEnd), "several memories"},
		{"table.set", code(0x26, 0, opEnd), "table.set changes a table"},
		{"elem.drop", code(opPrefixFC, 13, 0, opEnd), "opcode 0xfc 13 changes a table"},
		{"table.grow", code(opPrefixFC, 15, 0, opEnd), "opcode 0xfc 15 changes a table"},
		{"too many bodies", with(func(m *wasmModule) { m.functions = vec([]byte{1}, []byte{1}) }), "1 function bodies for 2 functions"},
		{"function of no type", with(func(m *wasmModule) { m.functions = vec([]byte{9}) }), "function 0 has type 9 of 2"},
		{"no end", code(0x01), "the bytes end too early"},
		{"code behind the end", code(opEnd, 0x01), "1 bytes are left over"},
		{"section twice", append(spin().bytes(), byte(secCode), 1, 0), "section 10 is unknown, repeated or out of order"},
		{"unknown section", append(spin().bytes(), 77, 0), "section 77 is unknown"},
		{"cut short", spin().bytes()[:30], "the bytes end too early"},
	} {
		if _, _, err := Instrument(c.module); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

// TestExportedGlobal accepts a mutable global that a snapshot can hold.
func TestExportedGlobal(t *testing.T) {
	m := spin()
	m.globals = vec([]byte{0x7f, 1, 0x41, 0, 0x0b})
	m.exports = vec(cat(str("sp"), []byte{kindGlobal, 0}))
	_, stats, err := Instrument(m.bytes())
	if err != nil || stats.Globals != 2 {
		t.Errorf("Instrument = %+v, %v; want 2 globals", stats, err)
	}
}

// TestOpcodes walks over every kind of immediate: the loop at the end is
// found only if all before it was read right.
func TestOpcodes(t *testing.T) {
	m := spin()
	m.code = vec(body(oneI32,
		opBlock, blockVoid, opIf, 0x7f, 0x05, opEnd, opEnd,
		opBlock, 0xff, 0x00, opEnd, // a type index of two bytes
		opBrTable, 2, 0, 1, 0,
		0x11, 0, 0, opSelectT, 1, 0x7f,
		0x28, 2, 0x80, 0x01, 0x3f, 0, 0x40, 0,
		opI32Const, 0x80, 0x80, 0x7f, opI64Const, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
		opF32Const, opLoop, opLoop, opLoop, opLoop,
		opF64Const, 3, 3, 3, 3, 3, 3, 3, 3,
		opPrefixFC, 7, opPrefixFC, 8, 3, 0, opPrefixFC, 10, 0, 0, opPrefixFC, 11, 0, opPrefixFC, 16, 3,
		opRefNull, 0x70, 0xd1, 0xd2, 3, 0xc4,
		opLoop, 0x7f, opEnd, opEnd))
	_, stats, err := Instrument(m.bytes())
	if err != nil || stats.Loops != 1 || stats.Bulks != 2 {
		t.Errorf("Instrument = %+v, %v; want 1 loop and 2 bulk operations", stats, err)
	}
}

// TestInputUntouched makes sure that the module is only read.
func TestInputUntouched(t *testing.T) {
	module := spin().bytes()
	if _, _, err := Instrument(module); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(module, spin().bytes()) {
		t.Error("Instrument changed its input")
	}
}
