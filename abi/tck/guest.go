package tck

import "github.com/wasgi/wasgi/abi"

// The memory map of every guest of the kit:
//
//	0x00000  nothing: a null pointer is never valid
//	0x00400  head: an encoded abi.ResponseHead
//	0x00800  text: fixed texts
//	0x00c00  vars: variables that start at zero
//	0x01000  scratch: results that become the body
//	0x08000  top of the shadow stack, which nobody uses
//	0x10000  io: 64 KiB to read into
//	0x20000  message: what wasgi_alloc returns, MaxMessage and 64 KiB of slack
//	0x140000 end
const (
	headAddress    = 0x00400
	textAddress    = 0x00800
	varsAddress    = 0x00c00
	scratchAddress = 0x01000
	stackTop       = 0x08000
	ioAddress      = 0x10000
	ioSize         = 0x10000
	messageAddress = 0x20000
	messageSize    = abi.MaxMessage + 0x10000

	// MemoryPages is the number of 64 KiB pages that a guest of the kit
	// starts with.
	MemoryPages = 20
)

// initialFuel is what a guest starts with before the host refills it.
const initialFuel = 1000

// guest builds a module that obeys the contract. What a guest does otherwise
// it says by replacing exports before bytes is called.
type guest struct {
	Module
	start, write, read, log, meter uint32 // imports
	fuel                           uint32 // global
	exports                        map[string]uint32
	omit                           string // an export to leave out
	memoryPages                    uint32
	ownData                        bool // no default response head
}

// newGuest declares the imports; more of them may follow.
func newGuest() *guest {
	g := &guest{exports: map[string]uint32{}, memoryPages: MemoryPages}
	two, one := []Type{I32, I32}, []Type{I32}
	g.start = g.Import(abi.Module, abi.ImportResponseStart, two, one)
	g.write = g.Import(abi.Module, abi.ImportResponseWrite, []Type{I32, I32, I32}, one)
	g.read = g.Import(abi.Module, abi.ImportBodyRead, two, one)
	g.log = g.Import(abi.Module, abi.ImportLog, []Type{I32, I32, I32}, one)
	g.meter = g.Import(abi.Module, abi.ImportMeter, nil, one)
	g.ExportGlobal(abi.ExportStackPointer, g.Global(stackTop))
	g.fuel = g.Global(initialFuel)
	g.ExportGlobal(abi.ExportFuel, g.fuel)
	return g
}

// on replaces an export. The body must leave an i32 on the stack.
func (g *guest) on(name string, locals uint32, body ...[]byte) *guest {
	g.exports[name] = g.Func(parameters(name), []Type{I32}, locals, body...)
	return g
}

// handle replaces wasgi_handle and adds the return of StatusOK. Local 0 is
// the length of the message.
func (g *guest) handle(locals uint32, body ...[]byte) *guest {
	return g.on(abi.ExportHandle, locals, Cat(body...), Const(int32(abi.StatusOK)))
}

// bytes adds the exports that were not replaced and lays the module out.
func (g *guest) bytes() []byte {
	g.defaults()
	for _, name := range exportNames() {
		if name != g.omit {
			g.ExportFunc(name, g.exports[name])
		}
	}
	g.Memory(g.memoryPages, 0)
	g.ExportMemory(abi.ExportMemory, 0)
	if !g.ownData {
		g.Data(headAddress, head())
	}
	return g.Bytes()
}

func (g *guest) defaults() {
	for _, name := range exportNames() {
		if _, ok := g.exports[name]; ok {
			continue
		}
		switch name {
		case abi.ExportVersion:
			g.on(name, 0, Const(abi.Version))
		case abi.ExportAlloc:
			g.on(name, 0, g.alloc())
		case abi.ExportHandle:
			g.on(name, 0, g.answer(), Const(int32(abi.StatusOK)))
		default:
			g.on(name, 0, Const(int32(abi.StatusOK)))
		}
	}
}

// alloc answers the fixed address, or 0 when the message is too long.
func (g *guest) alloc() []byte {
	return Cat(
		Get(0), Const(messageSize), Op(opGtU),
		If(Const(0), Op(opReturn)),
		Const(messageAddress))
}

// answer is a whole response without a body.
func (g *guest) answer() []byte { return g.sendHead() }

// sendHead passes the default response head.
func (g *guest) sendHead() []byte {
	return Cat(Const(headAddress), Const(int32(len(head()))), Call(g.start), Op(opDrop))
}

// send writes constant bytes as the last of the body.
func (g *guest) send(address, length int32) []byte {
	return Cat(Const(address), Const(length), Const(abi.WriteLast), Call(g.write), Op(opDrop))
}

// keep stores the number that code leaves on the stack as result i.
func keep(i int32, code ...[]byte) []byte {
	return Cat(Const(scratchAddress+4*i), Cat(code...), Store32())
}

// metered is an endless loop whose head does what the metering pass adds.
func (g *guest) metered(body ...[]byte) []byte {
	return Loop(
		GlobalGet(g.fuel), Const(1), Op(opSub), GlobalSet(g.fuel),
		GlobalGet(g.fuel), Const(0), Op(opLeS),
		If(Call(g.meter), GlobalSet(g.fuel)),
		Cat(body...),
		Br(0))
}

// head is the response head that most guests answer with.
func head() []byte {
	b, err := Head().Encode()
	if err != nil {
		panic("tck: the default response head is above the limits")
	}
	return b
}

// Head is the response head that most guests of the kit answer with.
func Head() abi.ResponseHead {
	return abi.ResponseHead{Status: 200, Reason: "OK", Headers: []abi.Pair{
		{Key: "Content-Type", Value: "text/plain"}, {Key: "X-Guest", Value: "tck"},
	}}
}

func exportNames() []string {
	return []string{
		abi.ExportVersion, abi.ExportAlloc, abi.ExportBoot, abi.ExportLoad,
		abi.ExportHandle, abi.ExportRun, abi.ExportBeforeSnapshot,
		abi.ExportAfterRestore, abi.ExportInterrupt,
	}
}

func parameters(name string) []Type {
	switch name {
	case abi.ExportAlloc, abi.ExportBoot, abi.ExportLoad, abi.ExportHandle, abi.ExportInterrupt:
		return []Type{I32}
	default:
		return nil
	}
}
