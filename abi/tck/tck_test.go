package tck

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

// TestModuleGolden keeps the bytes of a module with every kind of section.
func TestModuleGolden(t *testing.T) {
	var m Module
	f := m.Import("m", "f", []Type{I32}, nil)
	g := m.Global(-1)
	h := m.Func(nil, nil, 1, Const(2), Set(0), Get(0), Call(f), Loop(Const(0), BrIf(0)))
	m.Memory(1, 2)
	m.ExportFunc("h", h)
	m.ExportMemory("memory", 0)
	m.ExportGlobal("g", g)
	m.Start(h)
	m.Data(300, []byte("ab"))
	m.PassiveData([]byte("c"))
	want := "0061736d01000000" +
		"01080260017f00600000" + // types
		"020701016d01660000" + // import
		"03020101" + // function
		"050401010102" + // memory
		"0606017f01417f0b" + // global
		"071203016800010" + "66d656d6f72790200" + "01670300" + // exports
		"080101" + // start
		"0a1501" + "13" + "01017f" + "41022100" + "20001000" + "034041000d000b" + "0b" + // code
		"0b0c02" + "0041ac020b026162" + "010163" // data
	if got := hex.EncodeToString(m.Bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestConstants(t *testing.T) {
	for v, want := range map[int32]string{0: "4100", 63: "413f", 64: "41c000", -1: "417f", -64: "4140", -65: "41bf7f", 1 << 20: "4180 80c000"} {
		want, _ := hex.DecodeString(string(bytes.ReplaceAll([]byte(want), []byte(" "), nil)))
		if got := Const(v); !bytes.Equal(got, want) {
			t.Errorf("Const(%d) = %x, want %x", v, got, want)
		}
	}
}

func TestGuestsAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range All() {
		if seen[g.Name] || len(g.Module) < 8 {
			t.Errorf("%q is there twice or empty", g.Name)
		}
		seen[g.Name] = true
	}
}

// mirror is a session without a guest.
type mirror struct{ t *testing.T }

func (m mirror) Serve(environ, body []byte) (abi.ResponseHead, []byte, error) {
	if _, err := abi.DecodeEnviron(environ); err != nil {
		m.t.Error(err)
	}
	return Head(), body, nil
}

// TestCheck makes sure that Check sends only what the contract allows.
func TestCheck(t *testing.T) { Check(t, mirror{t}) }
