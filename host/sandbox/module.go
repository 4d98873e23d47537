package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wasgi/wasgi/abi"
)

// Section identifiers and kinds of the WebAssembly binary format (core
// specification, sections 5.5.2 and 5.5.5).
const (
	sectionImport = 2
	sectionMemory = 5
	sectionGlobal = 6
	sectionExport = 7
	sectionStart  = 8
	sectionData   = 11
	sectionCount  = 12 // number of data segments

	kindFunc   = 0
	kindGlobal = 3

	wasmPage = 64 << 10

	opEnd      = 0x0b
	opConst32  = 0x41
	opConst64  = 0x42
	opConstF32 = 0x43
	opConstF64 = 0x44
	opGlobal   = 0x23
	opRefNull  = 0xd0
	opRefFunc  = 0xd2

	typeV128 = 0x7b
)

// segment is one piece of the data section.
type segment struct {
	offset uint32
	bytes  []byte
}

// guest is what the host must know of the module besides its code.
type guest struct {
	code    []byte    // the module without its data section
	data    []segment // what was in them
	globals []string  // names of the mutable globals, sorted
	min     uint64    // bytes of memory at the start
	max     uint64    // bytes that it may grow to
}

// parseGuest splits the data section off and refuses what a snapshot could
// not hold. It knows just enough of the format for that; wazero validates the
// module afterwards.
func parseGuest(module []byte) (*guest, error) {
	p := &moduleParser{guest: guest{max: 1 << 32}, exported: map[uint32]string{}}
	r := &reader{b: module}
	if string(r.take(8)) != "\x00asm\x01\x00\x00\x00" {
		return nil, errors.New("not a WebAssembly module of version 1")
	}
	p.code = append(p.code, module[:8]...)
	for len(r.b) > 0 {
		start := r.b
		id := r.byte()
		body := r.take(r.u32())
		if r.bad {
			return nil, errors.New("a section is cut short")
		}
		raw := start[:len(start)-len(r.b)]
		if err := p.section(id, body, raw); err != nil {
			return nil, err
		}
	}
	if err := p.nameGlobals(); err != nil {
		return nil, err
	}
	return &p.guest, nil
}

type moduleParser struct {
	guest
	mutable  []uint32
	exported map[uint32]string
}

func (p *moduleParser) section(id byte, body, raw []byte) error {
	r := &reader{b: body}
	var err error
	switch id {
	case sectionImport:
		err = p.imports(r)
	case sectionMemory:
		err = p.memory(r)
	case sectionGlobal:
		err = p.globalSection(r)
	case sectionExport:
		p.exports(r)
	case sectionStart:
		return errors.New("it has a start function, which would run again in every restored instance: link it as a reactor")
	case sectionData:
		raw, err = nil, p.dataSection(r)
	case sectionCount:
		raw = nil
	}
	if err == nil && r.bad {
		err = fmt.Errorf("section %d is malformed", id)
	}
	p.code = append(p.code, raw...)
	return err
}

func (p *moduleParser) imports(r *reader) error {
	for range r.count() {
		module, name := string(r.take(r.u32())), string(r.take(r.u32()))
		if kind := r.byte(); kind != kindFunc && !r.bad {
			return fmt.Errorf("it imports %s.%s, which is no function: its state would lie outside the snapshot", module, name)
		}
		r.u32()
		if !r.bad && !slices.Contains(importModules(), module) {
			return fmt.Errorf("it imports %s.%s: the host has only the modules %s", module, name, strings.Join(importModules(), ", "))
		}
	}
	return nil
}

func (p *moduleParser) memory(r *reader) error {
	if r.count() != 1 {
		return errors.New("it must have one memory")
	}
	flags := r.byte()
	p.min = uint64(r.u32()) * wasmPage
	if flags&1 != 0 {
		p.max = uint64(r.u32()) * wasmPage
	}
	if flags > 1 {
		return errors.New("its memory is shared or has 64-bit addresses")
	}
	if p.min == 0 || p.max > 1<<32 || p.min > p.max {
		return errors.New("its memory has an impossible size")
	}
	return nil
}

func (p *moduleParser) globalSection(r *reader) error {
	for i := range r.count() {
		kind, mutable := r.byte(), r.byte()
		r.expression()
		if r.bad {
			return errors.New("its global section is malformed or uses an unknown instruction")
		}
		if mutable == 0 {
			continue
		}
		if kind <= typeV128 {
			return fmt.Errorf("its mutable global %d is a vector or a reference, which a snapshot cannot hold", i)
		}
		p.mutable = append(p.mutable, i)
	}
	return nil
}

func (p *moduleParser) exports(r *reader) {
	for range r.count() {
		name, kind, index := string(r.take(r.u32())), r.byte(), r.u32()
		if kind == kindGlobal && !r.bad {
			p.exported[index] = name
		}
	}
}

// dataSection leaves nothing of the section in the module, because wazero
// spends time on empty segments too. Without passive segments no instruction
// can name one.
func (p *moduleParser) dataSection(r *reader) error {
	r.b = slices.Clone(r.b) // or the segments would keep all of the module in memory
	for range r.count() {
		if flag := r.u32(); flag != 0 {
			return errors.New("it has a passive data segment: the state of those lies outside memory")
		}
		if r.byte() != opConst32 {
			return errors.New("it has a data segment without a constant address")
		}
		offset := uint32(r.s32())
		if r.byte() != opEnd {
			r.bad = true
		}
		b := r.take(r.u32())
		if r.bad {
			return errors.New("its data section is malformed")
		}
		if uint64(offset)+uint64(len(b)) > p.min {
			return fmt.Errorf("it has a data segment at %#x of %d bytes, beyond its memory", offset, len(b))
		}
		p.data = append(p.data, segment{offset, b})
	}
	return nil
}

// nameGlobals refuses a mutable global without a name, because the host could
// neither save it nor put it back.
func (p *moduleParser) nameGlobals() error {
	for _, i := range p.mutable {
		name, ok := p.exported[i]
		if !ok {
			return fmt.Errorf("its mutable global %d is not exported: link with --export for it, or build it away", i)
		}
		p.globals = append(p.globals, name)
	}
	slices.Sort(p.globals)
	if len(p.globals) > maxGlobals {
		return fmt.Errorf("it has %d mutable globals, more than %d", len(p.globals), maxGlobals)
	}
	if !slices.Contains(p.globals, abi.ExportFuel) {
		return fmt.Errorf("it has no mutable global %s: run the metering pass over it", abi.ExportFuel)
	}
	if !slices.Contains(p.globals, abi.ExportStackPointer) {
		return fmt.Errorf("it has no mutable global %s: link with --export=%[1]s", abi.ExportStackPointer)
	}
	return nil
}

// reader reads the binary format. After the first read past the end every
// read yields zero and bad is set.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	b := r.take(1)
	if b == nil {
		return 0
	}
	return b[0]
}

// count reads the length of a vector. Every entry takes a byte at least, so
// that a longer one than the section is malformed.
func (r *reader) count() uint32 {
	n := r.u32()
	if uint64(n) > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return 0
	}
	return n
}

func (r *reader) u32() uint32 {
	v, n := binary.Uvarint(r.b[:min(len(r.b), binary.MaxVarintLen32)])
	if n <= 0 || v > 1<<32-1 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return uint32(v)
}

// s32 reads signed LEB128 of at most 32 bits.
func (r *reader) s32() int32 {
	var v int64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c&0x80 == 0 {
			if c&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return int32(v)
		}
	}
	r.bad, r.b = true, nil
	return 0
}

// expression skips a constant expression.
func (r *reader) expression() {
	for {
		switch op := r.byte(); op {
		case opEnd:
			return
		case opConst32, opConst64:
			r.skipLEB()
		case opGlobal, opRefFunc:
			r.u32()
		case opConstF32:
			r.take(4)
		case opConstF64:
			r.take(8)
		case opRefNull:
			r.byte()
		default:
			r.bad = true
		}
		if r.bad {
			return
		}
	}
}

func (r *reader) skipLEB() {
	for range binary.MaxVarintLen64 {
		if r.byte()&0x80 == 0 {
			return
		}
	}
	r.bad = true
}
