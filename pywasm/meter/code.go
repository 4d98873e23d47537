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

// A checker writes the code that spends fuel. bulk is the index of the function
// that stands for memory.copy; the next one stands for memory.fill.
type checker struct{ fuel, meter, bulk uint32 }

// loop is the code that spends one unit of fuel and asks for more when there
// is none left.
func (c checker) loop() []byte {
	b := appendU32([]byte{opGlobalGet}, c.fuel)
	b = append(b, opI32Const, 1, opI32Sub)
	return c.refill(b)
}

// refill ends a check: the fuel that is left is on the stack.
func (c checker) refill(b []byte) []byte {
	b = appendU32(append(b, opGlobalSet), c.fuel)
	b = appendU32(append(b, opGlobalGet), c.fuel)
	b = append(b, opI32Const, 0, opI32LeS, opIf, blockVoid)
	b = appendU32(append(b, opCall), c.meter)
	b = appendU32(append(b, opGlobalSet), c.fuel)
	return append(b, opEnd)
}

// rewriteCode puts the checks into every function; there are so many.
func rewriteCode(body []byte, c checker, functions int) (out []byte, stats Stats, err error) {
	r := &reader{buf: body}
	n := r.u32()
	if r.err == nil && uint64(n) != uint64(functions) {
		r.fail(fmt.Errorf("%d function bodies for %d functions", n, functions))
	}
	out = appendU32(make([]byte, 0, len(body)+len(body)/8), n)
	for i := uint32(0); i < n && r.err == nil; i++ {
		f := r.bytes(r.u32())
		if r.err != nil {
			break
		}
		g, err := rewriteFunc(f, c, &stats)
		if err != nil {
			return nil, Stats{}, fmt.Errorf("function body %d: %w", i, err)
		}
		out = appendSized(out, g)
	}
	stats.Functions = int(n)
	return out, stats, r.done()
}

// rewriteFunc puts a check behind every loop of one function body, and calls in
// the place of bulk operations.
func rewriteFunc(f []byte, c checker, stats *Stats) ([]byte, error) {
	r := &reader{buf: f}
	skipLocals(r)
	var code []byte
	copied := 0
	for depth := 1; depth > 0 && r.err == nil; {
		before := r.pos
		op := r.byte()
		skipImmediate(r, op)
		switch {
		case op == opBlock || op == opIf:
			depth++
		case op == opEnd:
			depth--
		case op == opLoop:
			depth++
			stats.Loops++
			code = append(append(code, f[copied:r.pos]...), c.loop()...)
			copied = r.pos
		case op == opPrefixFC && isBulk(f[before:r.pos]):
			stats.Bulks++
			code = append(append(code, f[copied:before]...), c.call(f[before:r.pos])...)
			copied = r.pos
		}
	}
	return append(code, f[copied:]...), r.done()
}

// skipLocals reads over the declarations of locals.
func skipLocals(r *reader) {
	for n := r.u32(); n > 0 && r.err == nil; n-- {
		r.u32()
		r.byte()
	}
}
