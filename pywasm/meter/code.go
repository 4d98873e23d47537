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

// bulkShift makes one unit of fuel of so many bits of a length: copying or
// filling 4 KiB costs about what a turn of a loop does, and without the charge
// a loop around big copies ran for minutes between two checks.
const bulkShift = 12

// A checker writes the code that spends fuel.
type checker struct{ fuel, meter uint32 }

// loop is the code that spends one unit of fuel and asks for more when there
// is none left.
func (c checker) loop() []byte {
	b := appendU32([]byte{opGlobalGet}, c.fuel)
	b = append(b, opI32Const, 1, opI32Sub)
	return c.refill(b)
}

// bulk is the code in front of memory.copy and memory.fill: it spends fuel for
// the length on top of the stack, which it keeps in a local of its own.
func (c checker) bulk(local uint32) []byte {
	b := appendU32([]byte{opLocalTee}, local)
	b = appendU32(append(b, opGlobalGet), c.fuel)
	b = appendU32(append(b, opLocalGet), local)
	b = append(b, opI32Const, bulkShift, opI32ShrU, opI32Sub)
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

// rewriteCode puts the checks into every function. params holds the number of
// parameters of each.
func rewriteCode(body []byte, c checker, params []uint32) (out []byte, stats Stats, err error) {
	r := &reader{buf: body}
	n := r.u32()
	if r.err == nil && uint64(n) != uint64(len(params)) {
		r.fail(fmt.Errorf("%d function bodies for %d functions", n, len(params)))
	}
	out = appendU32(make([]byte, 0, len(body)+len(body)/8), n)
	for i := uint32(0); i < n && r.err == nil; i++ {
		f := r.bytes(r.u32())
		if r.err != nil {
			break
		}
		g, err := rewriteFunc(f, c, params[i], &stats)
		if err != nil {
			return nil, Stats{}, fmt.Errorf("function body %d: %w", i, err)
		}
		out = appendSized(out, g)
	}
	stats.Functions = int(n)
	return out, stats, r.done()
}

// rewriteFunc puts a check behind every loop and in front of every bulk
// operation of one function body.
func rewriteFunc(f []byte, c checker, params uint32, stats *Stats) ([]byte, error) {
	r := &reader{buf: f}
	groups, first, spare := readLocals(r, params)
	start, bulks := r.pos, stats.Bulks
	var code []byte
	copied := r.pos
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
			code = append(append(code, f[copied:before]...), c.bulk(spare)...)
			copied = before
		}
	}
	code = append(code, f[copied:]...)
	if err := r.done(); err != nil {
		return nil, err
	}
	if stats.Bulks == bulks {
		return append(append([]byte{}, f[:start]...), code...), nil
	}
	out := append(appendU32(nil, groups+1), f[first:start]...)
	return append(append(out, 1, typeI32), code...), nil
}

// readLocals reads over the declarations of locals: how many groups there are,
// where the first one begins, and the index of the next local.
func readLocals(r *reader, params uint32) (groups uint32, first int, next uint32) {
	groups = r.u32()
	first = r.pos
	total := uint64(params)
	for n := groups; n > 0 && r.err == nil; n-- {
		total += uint64(r.u32())
		r.byte()
	}
	if total >= maxLocals {
		r.fail(fmt.Errorf("a function has %d locals", total))
	}
	return groups, first, uint32(total)
}

// maxLocals is far above what compilers make and far below what overflows.
const maxLocals = 1 << 20

// isBulk tells whether a prefixed instruction is memory.copy or memory.fill.
func isBulk(instruction []byte) bool {
	sub := (&reader{buf: instruction[1:]}).u32()
	return sub == 10 || sub == 11
}
