package meter

import (
	"errors"
	"fmt"
	"slices"
)

// The names that the pass looks for and adds. Package abi has the same ones.
const (
	importModule = "wasgi"
	importName   = "meter"
	exportFuel   = "wasgi_fuel"
)

// The kinds of imports and exports.
const (
	kindFunc   = 0
	kindTable  = 1
	kindMemory = 2
	kindGlobal = 3
)

// typeI32 is the value type i32.
const typeI32 = 0x7f

// An iface is what the pass knows of a module besides its code.
type iface struct {
	types    []funcType
	modules  []string // that the module imports from, sorted, each once
	meter    int      // function index of the import, or -1
	funcs    uint32   // imported functions
	defined  []uint32 // type indices of the functions that have a body
	globals  []global // imported ones first
	exported map[uint32]bool
	names    map[string]bool // of all exports
}

// A funcType says what matters of a signature here.
type funcType struct {
	isMeter bool // () -> i32
	isBulk  bool // (i32, i32, i32) -> ()
}

// A global says what matters of a global variable here.
type global struct{ mutable bool }

// decodeInterface reads types, imports, globals and exports.
func decodeInterface(all []section) (*iface, error) {
	m := &iface{meter: -1, exported: map[uint32]bool{}, names: map[string]bool{}}
	parts := []struct {
		id   sectionID
		name string
		item func(*reader)
	}{
		{secType, "type", m.readType},
		{secImport, "import", m.readImport},
		{secFunction, "function", func(r *reader) { m.defined = append(m.defined, r.u32()) }},
		{secGlobal, "global", m.readGlobal},
		{secExport, "export", m.readExport},
	}
	for _, p := range parts {
		if err := readVector(find(all, p.id), p.item); err != nil {
			return nil, fmt.Errorf("%s section: %w", p.name, err)
		}
	}
	return m, nil
}

// readVector decodes a section that is a count and that many items.
func readVector(body []byte, item func(*reader)) error {
	if body == nil {
		return nil
	}
	r := &reader{buf: body}
	for n := r.u32(); n > 0 && r.err == nil; n-- {
		item(r)
	}
	return r.done()
}

func (m *iface) readType(r *reader) {
	if form := r.byte(); r.err == nil && form != 0x60 {
		r.fail(fmt.Errorf("type form %#x is not supported", form))
	}
	params, results := r.bytes(r.u32()), r.bytes(r.u32())
	isMeter := len(params) == 0 && len(results) == 1 && results[0] == typeI32
	isBulk := len(results) == 0 && string(params) == string([]byte{typeI32, typeI32, typeI32})
	m.types = append(m.types, funcType{isMeter, isBulk})
}

func (m *iface) readImport(r *reader) {
	module, name := r.name(), r.name()
	if !slices.Contains(m.modules, module) {
		m.modules = append(m.modules, module)
		slices.Sort(m.modules)
	}
	switch kind := r.byte(); kind {
	case kindFunc:
		m.importFunc(r, module, name)
	case kindTable:
		r.byte()
		skipLimits(r)
	case kindMemory:
		skipLimits(r)
	case kindGlobal:
		r.byte()
		m.globals = append(m.globals, global{r.byte() == 1})
	default:
		r.fail(fmt.Errorf("import %s.%s has kind %d, which is not supported", module, name, kind))
	}
}

// importFunc counts a function import and notes the one that meters.
func (m *iface) importFunc(r *reader, module, name string) {
	typ := r.u32()
	if module == importModule && name == importName && m.meter < 0 {
		if uint64(typ) >= uint64(len(m.types)) || !m.types[typ].isMeter {
			r.fail(errors.New("import wasgi.meter must have the type () -> i32"))
		}
		m.meter = int(m.funcs)
	}
	m.funcs++
}

func (m *iface) readGlobal(r *reader) {
	r.byte()
	m.globals = append(m.globals, global{r.byte() == 1})
	skipConst(r)
}

func (m *iface) readExport(r *reader) {
	name := r.name()
	kind, index := r.byte(), r.u32()
	m.names[name] = true
	if kind == kindGlobal {
		m.exported[index] = true
	}
}

// defines says how many functions have a body, all of known types.
func (m *iface) defines() (int, error) {
	for i, t := range m.defined {
		if uint64(t) >= uint64(len(m.types)) {
			return 0, fmt.Errorf("function section: function %d has type %d of %d", i, t, len(m.types))
		}
	}
	return len(m.defined), nil
}

// skipLimits reads over the limits of a table or a memory.
func skipLimits(r *reader) {
	flag := r.byte()
	if flag > 3 {
		r.fail(fmt.Errorf("limits flag %d is not supported", flag))
	}
	r.u32()
	if flag&1 != 0 {
		r.u32()
	}
}

// skipConst reads over a constant expression and its end.
func skipConst(r *reader) {
	for r.err == nil {
		op := r.byte()
		if r.err != nil || op == opEnd {
			return
		}
		skipImmediate(r, op)
	}
}

// check tells why the module cannot be metered, if it cannot.
func (m *iface) check() error {
	if m.names[exportFuel] {
		return errors.New("the module exports wasgi_fuel already: it has been metered before")
	}
	if m.meter < 0 {
		return errors.New("the module does not import wasgi.meter: declare it in the guest's C code and use it once")
	}
	for i, g := range m.globals {
		if g.mutable && !m.exported[uint32(i)] {
			return fmt.Errorf("global %d is mutable but not exported, so a snapshot would lose it: export it when linking", i)
		}
	}
	return nil
}
