package meter

// Tiny modules are built by hand here, so that the tests need no assembler.

// A wasmModule is what a test module is made of; each field is the body of a
// section, and nil leaves the section out.
type wasmModule struct {
	types, imports, functions, memory, globals, exports, code []byte
}

// bytes encodes the module.
func (m wasmModule) bytes() []byte {
	var all []section
	for _, s := range []section{
		{secType, m.types}, {secImport, m.imports}, {secFunction, m.functions},
		{secMemory, m.memory}, {secGlobal, m.globals}, {secExport, m.exports}, {secCode, m.code},
	} {
		if s.body != nil {
			all = append(all, s)
		}
	}
	return join(all)
}

// vec is a vector of items that are encoded already.
func vec(items ...[]byte) []byte {
	b := appendU32(nil, uint32(len(items)))
	for _, i := range items {
		b = append(b, i...)
	}
	return b
}

// str is a name.
func str(s string) []byte { return appendSized(nil, []byte(s)) }

// cat joins byte slices.
func cat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// body is a function body: groups of locals, then code.
func body(locals []byte, code ...byte) []byte {
	return appendSized(nil, append(append([]byte{}, locals...), code...))
}

// noLocals declares none; oneI32 declares one local of type i32.
var (
	noLocals = []byte{0}
	oneI32   = []byte{1, 1, 0x7f}
)

// importMeter imports wasgi.meter with type 0, and exportSpin exports function 1.
var (
	importMeter = vec(cat(str("wasgi"), str("meter"), []byte{kindFunc, 0}))
	exportSpin  = vec(cat(str("spin"), []byte{kindFunc, 1}))
)

// typesMeterSpin are () -> i32 and (i32) -> ().
var typesMeterSpin = vec([]byte{0x60, 0, 1, 0x7f}, []byte{0x60, 1, 0x7f, 0})

// spin has one function that goes through a loop as often as it is told:
//
//	loop: n = n-1; if n != 0 continue
func spin() wasmModule {
	return wasmModule{
		types: typesMeterSpin, imports: importMeter, functions: vec([]byte{1}), exports: exportSpin,
		code: vec(body(noLocals,
			opLoop, blockVoid, 0x20, 0, opI32Const, 1, opI32Sub, 0x22, 0, 0x0d, 0, opEnd, opEnd)),
	}
}

// fill has one function that fills memory from its start, as many bytes as it
// is told.
func fill() wasmModule {
	m := spin()
	m.memory = vec([]byte{0, 0x80, 0x01}) // 8 MiB
	m.code = vec(body(oneI32, opI32Const, 0, opI32Const, 0, 0x20, 0, opPrefixFC, 11, 0, opEnd))
	return m
}
