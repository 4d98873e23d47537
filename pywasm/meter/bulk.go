package meter

import "slices"

const (
	// bulkShift makes one unit of fuel of so many bits of a length: copying or
	// filling 4 KiB costs about what a turn of a loop does, and without the charge
	// a loop around big copies ran for minutes between two checks.
	bulkShift = 12
	// bulkPiece is how much is copied or filled between two checks. wazero copies in
	// one go whatever the length, and a copy of 200 MiB to fresh pages kept its
	// processor, and the collector, for 218 ms (measured).
	bulkPiece = 1 << 20
)

// bulkType is the type (i32, i32, i32) -> () as the type section has it.
func bulkType() []byte { return []byte{0x60, 3, typeI32, typeI32, typeI32, 0} }

// isBulk tells whether a prefixed instruction is memory.copy or memory.fill.
func isBulk(instruction []byte) bool {
	sub := (&reader{buf: instruction[1:]}).u32()
	return sub == subCopy || sub == subFill
}

// call replaces memory.copy and memory.fill by the function that does the same
// in pieces.
func (c checker) call(instruction []byte) []byte {
	target := c.bulk
	if (&reader{buf: instruction[1:]}).u32() == subFill {
		target++
	}
	return appendU32([]byte{opCall}, target)
}

// Locals of the two functions. The second parameter is the source or the value.
const (
	localTo = iota
	localFrom
	localRest
	localPiece
)

// nextPiece chooses the length of a piece, pays for it and takes it off the rest.
func (c checker) nextPiece() []byte {
	b := appendS32([]byte{opI32Const}, bulkPiece)
	b = append(b, opLocalGet, localRest, opLocalGet, localRest)
	b = appendS32(append(b, opI32Const), bulkPiece)
	b = append(b, opI32GtU, opSelect, opLocalSet, localPiece)
	b = appendU32(append(b, opGlobalGet), c.fuel)
	b = append(b, opLocalGet, localPiece, opI32Const, bulkShift, opI32ShrU, opI32Sub)
	b = c.refill(b)
	return append(b, opLocalGet, localRest, opLocalGet, localPiece, opI32Sub, opLocalSet, localRest)
}

// advance adds the piece to a local.
func advance(local byte) []byte {
	return []byte{opLocalGet, local, opLocalGet, localPiece, opI32Add, opLocalSet, local}
}

// copyBody is memory.copy: from the end where the source would be overwritten
// before it is read (to - from < length, without sign), else from the start.
func (c checker) copyBody() []byte {
	return bulkBody(c.nextPiece(),
		[]byte{opLocalGet, localTo, opLocalGet, localFrom, opI32Sub},
		[]byte{opLocalGet, localRest, opLocalGet, localPiece, opI32Add, opI32LtU, opIf, blockVoid},
		[]byte{opLocalGet, localTo, opLocalGet, localRest, opI32Add, opLocalGet, localFrom, opLocalGet, localRest, opI32Add},
		[]byte{opLocalGet, localPiece, opPrefixFC, subCopy, 0, 0, opElse},
		[]byte{opLocalGet, localTo, opLocalGet, localFrom, opLocalGet, localPiece, opPrefixFC, subCopy, 0, 0},
		advance(localTo), advance(localFrom), []byte{opEnd})
}

// fillBody is memory.fill.
func (c checker) fillBody() []byte {
	return bulkBody(c.nextPiece(),
		[]byte{opLocalGet, localTo, opLocalGet, localFrom, opLocalGet, localPiece, opPrefixFC, subFill, 0},
		advance(localTo))
}

// bulkBody repeats parts until there is no rest, at least once: a length of zero
// is checked against memory as well.
func bulkBody(parts ...[]byte) []byte {
	body := []byte{1, 1, typeI32, opLoop, blockVoid}
	body = append(body, slices.Concat(parts...)...)
	return append(body, opLocalGet, localRest, opBrIf, 0, opEnd, opEnd)
}

// addBulk appends the two functions, and their type where it is missing.
func addBulk(all []section, m *iface, c checker) ([]section, error) {
	index := uint32(slices.IndexFunc(m.types, func(t funcType) bool { return t.isBulk }))
	if int32(index) < 0 {
		index = uint32(len(m.types))
		types, err := appendItem(find(all, secType), bulkType())
		if err != nil {
			return nil, err
		}
		all = put(all, secType, types)
	}
	functions, code := find(all, secFunction), find(all, secCode)
	for _, body := range [][]byte{c.copyBody(), c.fillBody()} {
		var err error
		if functions, err = appendItem(functions, appendU32(nil, index)); err != nil {
			return nil, err
		}
		if code, err = appendItem(code, appendSized(nil, body)); err != nil {
			return nil, err
		}
	}
	return put(put(all, secFunction, functions), secCode, code), nil
}
