package guesttest

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// table says by what type each function can be called that has a number in the
// module's table: "parameters-results" where all are i32.
type table map[uint32]string

// readTable reads a module as linkers make them, no more: it panics at others.
func readTable(module []byte) table {
	const types, imports, functions, elements = 1, 2, 3, 9
	sections := map[byte]*binaryReader{}
	for b := (&binaryReader{module[8:]}); len(b.left) > 0; {
		id := b.byte()
		sections[id] = &binaryReader{b.sized()}
	}
	signatures := readSignatures(sections[types])
	typeOf := readImports(sections[imports])
	sections[functions].each(func(b *binaryReader) { typeOf = append(typeOf, b.number()) })
	found := table{}
	sections[elements].each(func(b *binaryReader) {
		const active, constant, end = 0, 0x41, 0x0b
		b.expect(active)
		b.expect(constant)
		at := b.number()
		b.expect(end)
		b.each(func(b *binaryReader) {
			found[at] = signatures[typeOf[b.number()]]
			at++
		})
	})
	return found
}

func readSignatures(b *binaryReader) (all []string) {
	const function, i32 = 0x60, 0x7f
	b.each(func(b *binaryReader) {
		b.expect(function)
		params, results := b.sized(), b.sized()
		text := fmt.Sprintf("%d-%d", len(params), len(results))
		if others := bytes.Trim(append(bytes.Clone(params), results...), string([]byte{i32})); len(others) > 0 {
			text += fmt.Sprintf(" with %x", others)
		}
		all = append(all, text)
	})
	return all
}

// readImports returns the types of the functions that are imported: the module
// has its memory and its table itself.
func readImports(b *binaryReader) (types []uint32) {
	const function = 0
	b.each(func(b *binaryReader) {
		b.sized() // module
		b.sized() // name
		b.expect(function)
		types = append(types, b.number())
	})
	return types
}

// binaryReader reads WebAssembly's encoding.
type binaryReader struct{ left []byte }

func (b *binaryReader) byte() byte { return b.take(1)[0] }

func (b *binaryReader) take(n int) []byte {
	p := b.left[:n]
	b.left = b.left[n:]
	return p
}

func (b *binaryReader) number() uint32 {
	v, n := binary.Uvarint(b.left)
	b.take(n)
	return uint32(v)
}

func (b *binaryReader) sized() []byte { return b.take(int(b.number())) }

func (b *binaryReader) each(f func(*binaryReader)) {
	for range b.number() {
		f(b)
	}
}

func (b *binaryReader) expect(want byte) {
	if got := b.byte(); got != want {
		panic(fmt.Sprintf("%#x in the module where %#x is expected", got, want))
	}
}
