package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// programmer writes programs that access memory: at addresses and offsets on both
// sides of edges, out of registers whose upper half may hold anything, with more
// values alive than there are registers. Every loop ends.
type programmer struct {
	*rand.Rand
	locals map[string]int // of the function, by type
	funcs  [][]string     // parameters of those before; all return an i32
	loops  int            // of the function
}

func valueTypes() []string { return []string{"i32", "i64", "f32", "f64"} }

func (p *programmer) pick(all ...string) string { return all[p.IntN(len(all))] }

func (p *programmer) local(t string) string { return fmt.Sprintf("$%s_%d", t, p.IntN(p.locals[t])) }

// op is an operation of the type, of those named, on two operands of it.
func (p *programmer) op(t string, depth int, names ...string) string {
	return fmt.Sprintf("(%s.%s %s %s)", t, p.pick(names...), p.expr(t, depth), p.expr(t, depth))
}

func (p *programmer) load(t string, depth int, names ...string) string {
	return fmt.Sprintf("(%s.%s%s %s)", t, p.pick(names...), p.offset(), p.address(depth))
}

// offset is mostly small: a program whose first access traps tests little.
func (p *programmer) offset() string {
	if p.IntN(1000) == 0 {
		return p.pick(" offset=2147483640", " offset=2147483647", " offset=2147483648", " offset=4294967290")
	}
	return p.pick("", "", "", " offset=4", " offset=8", " offset=8", " offset=65520")
}

// address is anything, or near the end of a memory of two pages, or within.
func (p *programmer) address(depth int) string {
	if p.IntN(160) == 0 {
		return p.expr("i32", depth)
	}
	switch p.IntN(8) {
	case 0:
		return fmt.Sprintf("(i32.shr_u %s (i32.const 17))", p.expr("i32", depth))
	case 1:
		return fmt.Sprintf("(i32.and (i32.load16_s (i32.and %s (i32.const 32767))) (i32.const 65535))", p.expr("i32", depth))
	case 2:
		return fmt.Sprintf("(i32.and (i32.load8_s (i32.and %s (i32.const 4095))) (i32.const 65535))", p.expr("i32", depth))
	case 3:
		return fmt.Sprintf("(i32.wrap_i64 (i64.shr_u %s (i64.const 49)))", p.expr("i64", depth))
	case 4:
		if p.IntN(40) == 0 {
			return fmt.Sprintf("(i32.add (i32.and %s (i32.const 15)) (i32.const 131057))", p.expr("i32", depth))
		}
	}
	return fmt.Sprintf("(i32.and %s (i32.const %s))", p.expr("i32", depth), p.pick("65535", "4095", "32760", "65528"))
}

func (p *programmer) expr(t string, depth int) string {
	if depth <= 0 {
		return p.leaf(t)
	}
	switch depth--; p.IntN(12) {
	case 0:
		return fmt.Sprintf("(local.tee %s %s)", p.local(t), p.expr(t, depth))
	case 1:
		return fmt.Sprintf("(select %s %s %s)", p.expr(t, depth), p.expr(t, depth), p.expr("i32", depth))
	case 2:
		return fmt.Sprintf("(if (result %s) %s (then %s) (else %s))", t, p.expr("i32", depth), p.expr(t, depth), p.expr(t, depth))
	}
	switch t {
	case "i32":
		return p.expr32(depth)
	case "i64":
		return p.expr64(depth)
	default:
		return p.exprFloat(t, depth)
	}
}

func (p *programmer) leaf(t string) string {
	switch {
	case p.IntN(4) > 0:
		return "(local.get " + p.local(t) + ")"
	case t == "i32":
		return fmt.Sprintf("(i32.const %d)", int32(p.Uint32())>>p.IntN(32))
	case t == "i64":
		return fmt.Sprintf("(i64.const %d)", int64(p.Uint64())>>p.IntN(64))
	default:
		return fmt.Sprintf("(%s.const %d)", t, p.IntN(1000)-500)
	}
}

func (p *programmer) expr32(depth int) string {
	switch p.IntN(10) {
	case 0, 1, 2:
		return p.op("i32", depth, "add", "sub", "and", "or", "xor", "mul", "shl", "shr_u", "shr_s", "rotl", "rotr", "lt_u", "eq", "ge_s")
	case 3, 4, 5:
		return p.load("i32", depth, "load", "load", "load8_s", "load8_u", "load16_s", "load16_u")
	case 6:
		return fmt.Sprintf("(i32.wrap_i64 %s)", p.pick(p.expr("i64", depth), p.load("i64", depth, "load"), "(i64.rotl "+p.expr("i64", depth)+" (i64.const 1))"))
	case 7:
		return fmt.Sprintf("(i32.%s %s)", p.pick("clz", "ctz", "popcnt", "eqz", "extend8_s", "extend16_s"), p.expr("i32", depth))
	case 8:
		return p.call(depth)
	default:
		return fmt.Sprintf("(i32.trunc_sat_f64_s %s)", p.expr("f64", depth))
	}
}

func (p *programmer) call(depth int) string {
	if len(p.funcs) == 0 {
		return p.leaf("i32")
	}
	i := p.IntN(len(p.funcs))
	args := ""
	for _, t := range p.funcs[i] {
		args += " " + p.expr(t, min(depth, 1))
	}
	return fmt.Sprintf("(call $f%d%s)", i, args)
}

func (p *programmer) expr64(depth int) string {
	switch p.IntN(6) {
	case 0, 1:
		return p.op("i64", depth, "add", "sub", "and", "or", "xor", "mul", "shl", "shr_u", "shr_s", "rotl")
	case 2:
		return fmt.Sprintf("(i64.%s %s)", p.pick("extend_i32_u", "extend_i32_s"), p.expr("i32", depth))
	case 3:
		return fmt.Sprintf("(i64.%s %s)", p.pick("extend8_s", "extend16_s", "extend32_s"), p.load("i64", depth, "load"))
	case 4:
		return p.load("i64", depth, "load", "load", "load8_s", "load8_u", "load16_s", "load32_u", "load32_s")
	default:
		return fmt.Sprintf("(i64.or %s (i64.const -4294967296))", p.expr("i64", depth))
	}
}

func (p *programmer) exprFloat(t string, depth int) string {
	switch p.IntN(4) {
	case 0:
		return p.op(t, depth, "add", "sub")
	case 1:
		return fmt.Sprintf("(%s.convert_i32_s %s)", t, p.expr("i32", depth))
	case 2:
		return fmt.Sprintf("(%s.convert_i32_u %s)", t, p.load("i32", depth, "load"))
	default:
		return p.leaf(t)
	}
}

func (p *programmer) statement(depth int) string {
	const deep = 2 // of expressions
	switch p.IntN(8) {
	case 0, 1:
		t := p.pick(valueTypes()...)
		return fmt.Sprintf("(local.set %s %s)\n", p.local(t), p.expr(t, deep+1))
	case 2:
		return fmt.Sprintf("(i32.%s%s %s %s)\n", p.pick("store", "store8", "store16"), p.offset(), p.address(deep), p.expr("i32", deep))
	case 3:
		return fmt.Sprintf("(i64.%s%s %s %s)\n", p.pick("store", "store8", "store16", "store32"), p.offset(), p.address(deep), p.expr("i64", deep))
	case 4:
		return fmt.Sprintf("(drop %s)\n", p.expr(p.pick(valueTypes()...), deep+1))
	case 5:
		if p.IntN(8) == 0 {
			return "(drop (memory.grow (i32.const 1)))\n"
		}
	case 6, 7:
		if depth > 0 {
			return p.branches(depth - 1)
		}
	}
	return "(nop)"
}

func (p *programmer) branches(depth int) string {
	switch p.IntN(3) {
	case 0:
		return fmt.Sprintf("(if %s (then %s) (else %s))\n", p.expr("i32", 2), p.statements(depth), p.statements(depth))
	case 1:
		return fmt.Sprintf("(block (block (block (br_table 0 1 2 1 %s)) %s) %s)\n", p.expr("i32", 2), p.statements(depth), p.statements(depth))
	default:
		p.loops++
		n := p.loops
		return fmt.Sprintf(`(local.set $n%d (i32.const %d)) (block $b%d (loop $l%d %s (br_if $b%d (i32.eq %s (i32.const 77))) %s
			(br_if $l%d (local.tee $n%d (i32.sub (local.get $n%d) (i32.const 1))))))`+"\n",
			n, 1+p.IntN(3), n, n, p.statements(depth), n, p.expr("i32", 2), p.statements(depth), n, n, n)
	}
}

func (p *programmer) statements(depth int) string {
	var b strings.Builder
	for range 1 + p.IntN(4) {
		b.WriteString(p.statement(depth))
	}
	return b.String()
}

// declare makes up to most more locals or parameters of each type, at least least.
func (p *programmer) declare(kind string, least, most int) (text string, types []string) {
	for _, t := range valueTypes() {
		for range least + p.IntN(most-least+1) {
			text += fmt.Sprintf(" (%s $%s_%d %s)", kind, t, p.locals[t], t)
			types = append(types, t)
			p.locals[t]++
		}
	}
	return text, types
}

// function returns one whose result depends on all of its values.
func (p *programmer) function() string {
	p.locals, p.loops = map[string]int{}, 0
	header, params := p.declare("param", 0, 5)
	locals, _ := p.declare("local", 1, 12)
	body := ""
	for range 3 + p.IntN(8) {
		body += p.statement(3)
	}
	result := p.expr("i32", 3)
	for i := range p.locals["i32"] {
		result = fmt.Sprintf("(i32.add (i32.rotl %s (i32.const 3)) (local.get $i32_%d))", result, i)
	}
	for i := range p.locals["i64"] {
		result = fmt.Sprintf("(i32.xor (i32.rotl %s (i32.const 5)) (i32.wrap_i64 (i64.mul (local.get $i64_%d) (i64.const 1099511628211))))", result, i)
	}
	for i := range p.loops {
		locals += fmt.Sprintf(" (local $n%d i32)", i+1)
	}
	name := len(p.funcs)
	p.funcs = append(p.funcs, params)
	return fmt.Sprintf("(func $f%d (export \"f%d\")%s (result i32)%s\n%s%s)\n", name, name, header, locals, body, result)
}

// program returns the text of one.
func (p *programmer) program() string {
	text := "(module (memory (export \"memory\") 2 4)\n(data (i32.const 0) \""
	for range 4096 {
		text += fmt.Sprintf("\\%02x", p.IntN(256))
	}
	text += "\")\n"
	for range 5 {
		text += p.function()
	}
	return text + ")"
}

// arguments are four lists of them for each function, in turn.
func (p *programmer) arguments() [][][]uint64 {
	var all [][][]uint64
	for _, params := range p.funcs {
		var calls [][]uint64
		for call := range 4 {
			var args []uint64
			for _, t := range params {
				args = append(args, p.argument(t, call))
			}
			calls = append(calls, args)
		}
		all = append(all, calls)
	}
	return all
}

func (p *programmer) argument(t string, call int) uint64 {
	switch {
	case slices.Contains([]string{"f32", "f64"}, t):
		return 0
	case call == 1:
		return p.Uint64() & 0xffff
	case t == "i32":
		return uint64(p.Uint32())
	default:
		return p.Uint64()
	}
}
