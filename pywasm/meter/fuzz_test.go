package meter

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// FuzzInstrument feeds any bytes: no panic, and a module that was valid
// before is valid behind the pass.
func FuzzInstrument(f *testing.F) {
	f.Add(spin().bytes())
	m := spin()
	m.types = vec([]byte{0x60, 0, 1, 0x7f}, []byte{0x60, 1, 0x7f, 0}, []byte{0x60, 1, 0x7f, 1, 0x7f})
	m.code = vec(body(noLocals, 0x20, 0, opLoop, 2, opEnd, 0x1a, opEnd)) // a loop with a parameter
	f.Add(m.bytes())
	f.Fuzz(func(t *testing.T, module []byte) {
		out, _, err := Instrument(module)
		if err != nil || !compiles(module) {
			return
		}
		if !compiles(out) {
			t.Errorf("% x is valid, but not behind the pass: % x", module, out)
		}
	})
}

// compiles tells whether wazero takes a module for valid.
func compiles(module []byte) bool {
	ctx := context.Background()
	config := wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(16)
	rt := wazero.NewRuntimeWithConfig(ctx, config)
	defer rt.Close(ctx)
	_, err := rt.CompileModule(ctx, module)
	return err == nil
}

// setFuel sets the counter of an instance.
func setFuel(t *testing.T, g api.Global, fuel int) {
	t.Helper()
	m, ok := g.(api.MutableGlobal)
	if !ok {
		t.Fatal("wasgi_fuel is not a mutable global")
	}
	m.Set(api.EncodeI32(int32(fuel)))
}
