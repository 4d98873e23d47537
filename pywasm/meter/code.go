package meter

import (
	"errors"
	"fmt"
)

// InitialFuel is the fuel that a new instance starts with.
const InitialFuel = 1_000_000

// addFuel appends the counter to the globals and exports it. It returns the
// index of the new global.
func addFuel(all []section, m *iface) ([]section, uint32, error) {
	index := uint32(len(m.globals))
	fuel := append([]byte{typeI32, 1, opI32Const}, appendS32(nil, InitialFuel)...)
	fuel = append(fuel, opEnd)
	globals, err := appendItem(find(all, secGlobal), fuel)
	if err != nil {
		return nil, 0, err
	}
	export := appendSized(nil, []byte(exportFuel))
	export = appendU32(append(export, kindGlobal), index)
	exports, err := appendItem(find(all, secExport), export)
	if err != nil {
		return nil, 0, err
	}
	all = put(all, secGlobal, globals)
	return put(all, secExport, exports), index, nil
}

// appendItem adds an item to a section that is a count and items.
func appendItem(body, item []byte) ([]byte, error) {
	r := &reader{buf: body}
	var n uint32
	if body != nil {
		n = r.u32()
	}
	if n == 1<<32-1 {
		r.fail(errors.New("a section is full"))
	}
	out := append(appendU32(nil, n+1), body[r.pos:]...)
	return append(out, item...), r.err
}

// checkCode is the code that spends one unit of fuel and asks for more when
// there is none left.
func checkCode(fuel, meter uint32) []byte {
	get := appendU32([]byte{opGlobalGet}, fuel)
	set := appendU32([]byte{opGlobalSet}, fuel)
	var b []byte
	b = append(b, get...)
	b = append(b, opI32Const, 1, opI32Sub)
	b = append(b, set...)
	b = append(b, get...)
	b = append(b, opI32Const, 0, opI32LeS, opIf, blockVoid)
	b = appendU32(append(b, opCall), meter)
	b = append(b, set...)
	return append(b, opEnd)
}

// rewriteCode puts the check behind every loop of every function. It returns
// the new section, and how many functions and loops it saw.
func rewriteCode(body, check []byte) (out []byte, funcs, loops int, err error) {
	r := &reader{buf: body}
	n := r.u32()
	out = appendU32(make([]byte, 0, len(body)+len(body)/8), n)
	for i := uint32(0); i < n && r.err == nil; i++ {
		f := r.bytes(r.u32())
		if r.err != nil {
			break
		}
		g, l, err := rewriteFunc(f, check)
		if err != nil {
			return nil, 0, 0, fmt.Errorf("function body %d: %w", i, err)
		}
		out = appendSized(out, g)
		loops += l
	}
	return out, int(n), loops, r.done()
}

// rewriteFunc puts the check behind every loop of one function body.
func rewriteFunc(f, check []byte) (out []byte, loops int, err error) {
	r := &reader{buf: f}
	for n := r.u32(); n > 0 && r.err == nil; n-- { // groups of locals
		r.u32()
		r.byte()
	}
	copied := 0
	for depth := 1; depth > 0 && r.err == nil; {
		op := r.byte()
		skipImmediate(r, op)
		switch op {
		case opBlock, opIf:
			depth++
		case opEnd:
			depth--
		case opLoop:
			depth++
			loops++
			out = append(append(out, f[copied:r.pos]...), check...)
			copied = r.pos
		}
	}
	return append(out, f[copied:]...), loops, r.done()
}
