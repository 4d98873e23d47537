package tck

import "encoding/binary"

// Type is a WebAssembly value type.
type Type byte

// The value types that the kit uses.
const (
	I32 Type = 0x7f
	I64 Type = 0x7e
)

// Section identifiers of the binary format (WebAssembly core specification,
// section 5.5.2).
const (
	sectionType     = 1
	sectionImport   = 2
	sectionFunction = 3
	sectionTable    = 4
	sectionMemory   = 5
	sectionGlobal   = 6
	sectionExport   = 7
	sectionStart    = 8
	sectionElement  = 9
	sectionCode     = 10
	sectionData     = 11
)

// Kinds of an export.
const (
	exportFunc   = 0
	exportMemory = 2
	exportGlobal = 3
)

// Module builds a module. Imports are declared before functions, because
// functions are numbered after them. It checks nothing: the kit needs broken
// modules as well.
type Module struct {
	types, imports, funcs, codes    [][]byte
	memories, globals, exports, dat [][]byte
	start                           []byte
	imported                        uint32
}

// Import declares an imported function and returns its index.
func (m *Module) Import(module, name string, params, results []Type) uint32 {
	e := append(name2(module, name), exportFunc)
	m.imports = append(m.imports, appendU32(e, m.signature(params, results)))
	m.imported++
	return m.imported - 1
}

// Memory declares linear memory of min to max pages of 64 KiB; a max of zero
// is no limit.
func (m *Module) Memory(min, max uint32) {
	e := appendU32([]byte{0}, min)
	if max != 0 {
		e = appendU32(appendU32([]byte{1}, min), max)
	}
	m.memories = append(m.memories, e)
}

// Global declares a mutable i32 global and returns its index.
func (m *Module) Global(init int32) uint32 {
	e := append([]byte{byte(I32), 1}, Const(init)...)
	m.globals = append(m.globals, append(e, opEnd))
	return uint32(len(m.globals) - 1)
}

// Func declares a function with i32 locals besides its parameters and returns
// its index. The end of the body is added.
func (m *Module) Func(params, results []Type, locals uint32, body ...[]byte) uint32 {
	m.funcs = append(m.funcs, appendU32(nil, m.signature(params, results)))
	var code []byte
	if locals == 0 {
		code = appendU32(code, 0)
	} else {
		code = append(appendU32(appendU32(code, 1), locals), byte(I32))
	}
	code = append(append(code, Cat(body...)...), opEnd)
	m.codes = append(m.codes, append(appendU32(nil, uint32(len(code))), code...))
	return m.imported + uint32(len(m.funcs)) - 1
}

// Data declares an active segment at a constant address.
func (m *Module) Data(address uint32, b []byte) {
	e := append(appendU32(nil, 0), Const(int32(address))...)
	m.dat = append(m.dat, withLength(append(e, opEnd), b))
}

// PassiveData declares a passive segment.
func (m *Module) PassiveData(b []byte) {
	m.dat = append(m.dat, withLength([]byte{1}, b))
}

// ExportFunc, ExportMemory and ExportGlobal give index a name.
func (m *Module) ExportFunc(name string, index uint32)   { m.export(name, exportFunc, index) }
func (m *Module) ExportMemory(name string, index uint32) { m.export(name, exportMemory, index) }
func (m *Module) ExportGlobal(name string, index uint32) { m.export(name, exportGlobal, index) }

// Start makes the function run at every instantiation.
func (m *Module) Start(index uint32) { m.start = appendU32(nil, index) }

// Bytes is the module in the binary format.
func (m *Module) Bytes() []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	b = appendVector(b, sectionType, m.types)
	b = appendVector(b, sectionImport, m.imports)
	b = appendVector(b, sectionFunction, m.funcs)
	b = appendVector(b, sectionMemory, m.memories)
	b = appendVector(b, sectionGlobal, m.globals)
	b = appendVector(b, sectionExport, m.exports)
	if m.start != nil {
		b = appendSection(b, sectionStart, m.start)
	}
	b = appendVector(b, sectionCode, m.codes)
	return appendVector(b, sectionData, m.dat)
}

func (m *Module) export(name string, kind byte, index uint32) {
	e := append(withLength(nil, []byte(name)), kind)
	m.exports = append(m.exports, appendU32(e, index))
}

func (m *Module) signature(params, results []Type) uint32 {
	e := appendTypes(appendTypes([]byte{0x60}, params), results)
	for i, t := range m.types {
		if string(t) == string(e) {
			return uint32(i)
		}
	}
	m.types = append(m.types, e)
	return uint32(len(m.types) - 1)
}

func appendTypes(b []byte, types []Type) []byte {
	b = appendU32(b, uint32(len(types)))
	for _, t := range types {
		b = append(b, byte(t))
	}
	return b
}

func appendVector(b []byte, id byte, entries [][]byte) []byte {
	if len(entries) == 0 {
		return b
	}
	return appendSection(b, id, append(appendU32(nil, uint32(len(entries))), Cat(entries...)...))
}

func appendSection(b []byte, id byte, body []byte) []byte {
	return withLength(append(b, id), body)
}

func name2(s, t string) []byte {
	return withLength(withLength(nil, []byte(s)), []byte(t))
}

func withLength(b, body []byte) []byte {
	return append(appendU32(b, uint32(len(body))), body...)
}

func appendU32(b []byte, v uint32) []byte { return binary.AppendUvarint(b, uint64(v)) }
