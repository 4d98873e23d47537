package meter

import "fmt"

// Opcodes that the pass reads or writes by name.
const (
	opBlock     = 0x02
	opLoop      = 0x03
	opIf        = 0x04
	opElse      = 0x05
	opEnd       = 0x0b
	opBrIf      = 0x0d
	opBrTable   = 0x0e
	opCall      = 0x10
	opSelect    = 0x1b
	opSelectT   = 0x1c
	opLocalGet  = 0x20
	opLocalSet  = 0x21
	opGlobalGet = 0x23
	opGlobalSet = 0x24
	opTableSet  = 0x26
	opI32Const  = 0x41
	opI64Const  = 0x42
	opF32Const  = 0x43
	opF64Const  = 0x44
	opI32LtU    = 0x49
	opI32GtU    = 0x4b
	opI32LeS    = 0x4c
	opI32Add    = 0x6a
	opI32Sub    = 0x6b
	opI32ShrU   = 0x76
	opRefNull   = 0xd0
	opPrefixFC  = 0xfc
	opPrefixFD  = 0xfd
	opPrefixFE  = 0xfe

	blockVoid = 0x40

	// Numbers behind opPrefixFC.
	subCopy = 10
	subFill = 11
)

// skipImmediate reads over what follows an opcode in the code.
func skipImmediate(r *reader, op byte) {
	switch {
	case op == opBlock || op == opLoop || op == opIf:
		r.skipSigned(33)
	case op == opBrTable:
		for n := uint64(r.u32()) + 1; n > 0 && r.err == nil; n-- {
			r.u32()
		}
	case op == opSelectT:
		r.bytes(r.u32())
	case op == opI32Const:
		r.skipSigned(32)
	case op == opI64Const:
		r.skipSigned(64)
	case op == opF32Const:
		r.bytes(4)
	case op == opF64Const:
		r.bytes(8)
	case op == opPrefixFC:
		skipPrefixed(r)
	default:
		skipPlain(r, op)
	}
}

// skipPlain reads over the immediates of an opcode that has indices only.
func skipPlain(r *reader, op byte) {
	n, known := indices(op)
	if !known {
		r.fail(unknown(op))
		return
	}
	if isMemory(op) && r.pos < len(r.buf) && r.buf[r.pos]&0x40 != 0 {
		r.fail(fmt.Errorf("opcode %#x names a memory: several memories are not supported", op))
	}
	for ; n > 0; n-- {
		r.u32()
	}
}

// isMemory tells whether an opcode loads or stores.
func isMemory(op byte) bool { return op >= 0x28 && op <= 0x3e }

// indices tells how many unsigned numbers follow an opcode.
func indices(op byte) (n int, known bool) {
	switch {
	case op <= 0x01, op == 0x05, op == opEnd, op == 0x0f, op == 0x1a, op == 0x1b, op == 0xd1:
		return 0, true
	case op >= 0x45 && op <= 0xc4:
		return 0, true
	case op == 0x0c, op == 0x0d, op == opCall, op >= 0x20 && op <= 0x25, op == 0x3f, op == 0x40:
		return 1, true
	case op == opRefNull, op == 0xd2:
		return 1, true
	case op == 0x11, isMemory(op):
		return 2, true
	}
	return 0, false
}

// skipPrefixed reads over a saturating conversion or a bulk operation.
func skipPrefixed(r *reader) {
	sub := r.u32()
	n := 0
	switch {
	case sub <= 7: // iNN.trunc_sat_fNN
	case sub == 11, sub == 16: // memory.fill, table.size
		n = 1
	case sub == 8, sub == 10: // memory.init, memory.copy
		n = 2
	case sub == 9, sub >= 12 && sub <= 15, sub == 17:
		r.fail(fmt.Errorf("opcode 0xfc %d changes a table or drops a segment, which a snapshot would lose", sub))
	default:
		r.fail(fmt.Errorf("opcode 0xfc %d is not supported", sub))
	}
	for ; n > 0; n-- {
		r.u32()
	}
}

// unknown says what an opcode is that the pass does not handle.
func unknown(op byte) error {
	switch op {
	case opTableSet:
		return fmt.Errorf("table.set changes a table, which a snapshot would lose")
	case opPrefixFD:
		return fmt.Errorf("SIMD is not supported: build the guest without -msimd128")
	case opPrefixFE:
		return fmt.Errorf("atomics are not supported: build the guest without threads")
	}
	return fmt.Errorf("opcode %#x is not supported", op)
}
