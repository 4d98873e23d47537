package tck

// Opcodes (WebAssembly core specification, section 5.4).
const (
	opUnreachable = 0x00
	opBlock       = 0x02
	opLoop        = 0x03
	opIf          = 0x04
	opEnd         = 0x0b
	opBr          = 0x0c
	opBrIf        = 0x0d
	opReturn      = 0x0f
	opCall        = 0x10
	opDrop        = 0x1a
	opLocalGet    = 0x20
	opLocalSet    = 0x21
	opLocalTee    = 0x22
	opGlobalGet   = 0x23
	opGlobalSet   = 0x24
	opLoad32      = 0x28
	opLoad8       = 0x2d
	opStore32     = 0x36
	opStore8      = 0x3a
	opMemorySize  = 0x3f
	opMemoryGrow  = 0x40
	opConst32     = 0x41
	opConst64     = 0x42
	opEqz         = 0x45
	opEq          = 0x46
	opGtU         = 0x4b
	opLeS         = 0x4c
	opAdd         = 0x6a
	opSub         = 0x6b
	opShl         = 0x74

	blockVoid = 0x40
)

// Cat joins instructions.
func Cat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// Op is one instruction without immediates.
func Op(code byte) []byte { return []byte{code} }

// Const is i32.const.
func Const(v int32) []byte { return appendS64([]byte{opConst32}, int64(v)) }

// Const64 is i64.const.
func Const64(v int64) []byte { return appendS64([]byte{opConst64}, v) }

// Call is call.
func Call(index uint32) []byte { return appendU32([]byte{opCall}, index) }

// Get, Set and Tee are local.get, local.set and local.tee.
func Get(local uint32) []byte { return appendU32([]byte{opLocalGet}, local) }
func Set(local uint32) []byte { return appendU32([]byte{opLocalSet}, local) }
func Tee(local uint32) []byte { return appendU32([]byte{opLocalTee}, local) }

// GlobalGet and GlobalSet are global.get and global.set.
func GlobalGet(index uint32) []byte { return appendU32([]byte{opGlobalGet}, index) }
func GlobalSet(index uint32) []byte { return appendU32([]byte{opGlobalSet}, index) }

// Load32 and Load8 load from the address on the stack; Store32 and Store8
// store the value on the stack to the address below it.
func Load32() []byte  { return []byte{opLoad32, 2, 0} }
func Load8() []byte   { return []byte{opLoad8, 0, 0} }
func Store32() []byte { return []byte{opStore32, 2, 0} }
func Store8() []byte  { return []byte{opStore8, 0, 0} }

// MemorySize and MemoryGrow are memory.size and memory.grow.
func MemorySize() []byte { return []byte{opMemorySize, 0} }
func MemoryGrow() []byte { return []byte{opMemoryGrow, 0} }

// Loop, Block and If hold instructions that leave nothing on the stack. Br and
// BrIf leave depth of them, or go back to the head of a loop.
func Loop(body ...[]byte) []byte  { return nest(opLoop, body) }
func Block(body ...[]byte) []byte { return nest(opBlock, body) }
func If(body ...[]byte) []byte    { return nest(opIf, body) }
func Br(depth uint32) []byte      { return appendU32([]byte{opBr}, depth) }
func BrIf(depth uint32) []byte    { return appendU32([]byte{opBrIf}, depth) }

func nest(op byte, body [][]byte) []byte {
	return append(append([]byte{op, blockVoid}, Cat(body...)...), opEnd)
}

// appendS64 appends signed LEB128.
func appendS64(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
