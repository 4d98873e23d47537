package tck

import "github.com/wasgi/wasgi/abi"

// Trap executes unreachable in handle.
func Trap() []byte { return TrapIn(abi.ExportHandle) }

// TrapIn executes unreachable in the named export.
func TrapIn(export string) []byte {
	return newGuest().on(export, 0, Op(opUnreachable)).bytes()
}

// Recurse calls itself until the engine's stack is used up.
func Recurse() []byte {
	g := newGuest()
	self := g.imported + uint32(len(g.funcs))
	g.Func([]Type{I32}, []Type{I32}, 0, Get(0), Call(self), Const(1), Op(opAdd))
	return g.handle(0, Const(0), Call(self), Op(opDrop)).bytes()
}

// Stray writes to an address of its memory in handle, or of none.
func Stray(address uint32) []byte {
	return newGuest().handle(0, Const(int32(address)), Const(1), Store32()).bytes()
}

// Silent returns StatusOK without having started a response.
func Silent() []byte { return newGuest().handle(0).bytes() }

// OutOfBoundsResults is the number of results that OutOfBounds answers with.
const OutOfBoundsResults = 12

// OutOfBounds passes wild addresses and lengths to every import and answers
// with the results, as i32 each.
func OutOfBounds() []byte {
	g := newGuest()
	end := int32(MemoryPages << 16)
	var code []byte
	i := int32(0)
	try := func(part ...[]byte) {
		code = append(code, keep(i, part...)...)
		i++
	}
	wild := [][2]int32{{-1, -1}, {0, -1}, {end, 1}, {end - 1, 2}}
	for _, w := range wild[:3] {
		try(Const(w[0]), Const(w[1]), Call(g.start))
	}
	code = append(code, g.sendHead()...)
	for _, w := range wild {
		try(Const(w[0]), Const(w[1]), Const(0), Call(g.write))
	}
	for _, w := range wild[1:3] {
		try(Const(w[0]), Const(w[1]), Call(g.read))
	}
	for _, w := range wild[1:] {
		try(Const(0), Const(w[0]), Const(w[1]), Call(g.log))
	}
	return g.handle(0, code, g.send(scratchAddress, 4*i)).bytes()
}

// BadHeadResults is the number of results that BadHead answers with.
const BadHeadResults = 5

// BadHead starts responses with a status below 200, a line break in a value,
// a header cut short, a message above MaxResponseHead and too many headers,
// then properly, and answers with the results of the five.
func BadHead() []byte {
	g := newGuest()
	low, _ := abi.ResponseHead{Status: 101}.Encode()
	split, _ := abi.ResponseHead{Status: 200, Headers: []abi.Pair{{Key: "X", Value: "a\r\nb"}}}.Encode()
	many := []byte{200, 0, 0xff, 0xff, 0, 0, 0, 0}
	g.Data(textAddress, low)
	g.Data(textAddress+64, split)
	g.Data(textAddress+128, many)
	try := func(i, address, length int32) []byte {
		return keep(i, Const(address), Const(length), Call(g.start))
	}
	return g.handle(0,
		try(0, textAddress, int32(len(low))),
		try(1, textAddress+64, int32(len(split))),
		try(2, headAddress, int32(len(head())-1)),
		try(3, ioAddress, abi.MaxResponseHead+1),
		try(4, textAddress+128, int32(len(many))),
		g.sendHead(), g.send(scratchAddress, 4*BadHeadResults),
	).bytes()
}

// OrderResults is the number of results that Order answers with.
const OrderResults = 3

// Order writes before it starts, writes with an unknown flag, and starts again
// after the first byte. The results are the body; a write after the last one
// is refused, or the guest returns StatusInternal.
func Order() []byte {
	g := newGuest()
	writeOne := func(flags int32) []byte {
		return Cat(Const(textAddress), Const(1), Const(flags), Call(g.write))
	}
	return g.on(abi.ExportHandle, 0,
		keep(0, writeOne(0)),
		g.sendHead(),
		keep(1, writeOne(2)),
		writeOne(0), Op(opDrop),
		keep(2, Const(headAddress), Const(int32(len(head()))), Call(g.start)),
		g.send(scratchAddress, 4*OrderResults),
		writeOne(0), Const(-int32(abi.ESTATE)), Op(opEq),
		If(Const(int32(abi.StatusOK)), Op(opReturn)),
		Const(int32(abi.StatusInternal)),
	).bytes()
}

// Early calls the imports of a request while it boots and returns StatusOK
// only when each one answers ESTATE.
func Early() []byte {
	g := newGuest()
	refuse := func(code ...[]byte) []byte {
		return Cat(Cat(code...), Const(-int32(abi.ESTATE)), Op(opEq), Op(opEqz),
			If(Const(int32(abi.StatusInternal)), Op(opReturn)))
	}
	return g.on(abi.ExportBoot, 0,
		refuse(Const(headAddress), Const(int32(len(head()))), Call(g.start)),
		refuse(Const(textAddress), Const(1), Const(0), Call(g.write)),
		refuse(Const(ioAddress), Const(1), Call(g.read)),
		Const(int32(abi.StatusOK)),
	).bytes()
}

// AllocAt answers wasgi_alloc with a fixed address.
func AllocAt(address int32) []byte {
	return newGuest().on(abi.ExportAlloc, 0, Const(address)).bytes()
}

// WrongVersion was built for another version of the contract.
func WrongVersion() []byte {
	return newGuest().on(abi.ExportVersion, 0, Const(abi.Version+1)).bytes()
}

// MissingExport lacks the named function.
func MissingExport(name string) []byte {
	g := newGuest()
	g.omit = name
	return g.bytes()
}

// WrongSignature exports wasgi_handle with a parameter too many.
func WrongSignature() []byte {
	g := newGuest()
	g.exports[abi.ExportHandle] = g.Func([]Type{I32, I32}, []Type{I32}, 0, Const(0))
	return g.bytes()
}

// HiddenGlobal has a mutable global that it does not export.
func HiddenGlobal() []byte {
	g := newGuest()
	g.Global(0)
	return g.bytes()
}

// UnknownImport imports a function that the host does not have.
func UnknownImport() []byte {
	g := newGuest()
	g.Import("env", "system", []Type{I32}, []Type{I32})
	return g.bytes()
}

// Started has a start function, which would run in every restored instance.
func Started() []byte {
	g := newGuest()
	g.Start(g.Func(nil, nil, 0))
	return g.bytes()
}

// Passive has a passive data segment, whose state lies outside memory.
func Passive() []byte {
	g := newGuest()
	g.PassiveData([]byte("passive"))
	return g.bytes()
}

// WildData has a data segment beyond the end of memory.
func WildData() []byte {
	g := newGuest()
	g.Data(MemoryPages<<16-1, []byte("wild"))
	return g.bytes()
}
