package tck

import "github.com/wasgi/wasgi/abi"

// Guest is one entry of the table All.
type Guest struct {
	Name   string
	Module []byte
}

// All lists every guest that the host must be able to boot.
func All() []Guest {
	return []Guest{
		{"echo", Echo()}, {"environ", Environ()}, {"body", Body()}, {"counter", Counter()},
		{"spin", Spin()}, {"trap", Trap()}, {"exit", Exit(7)}, {"grow", Grow()},
		{"out of bounds", OutOfBounds()}, {"bad head", BadHead()}, {"order", Order()},
		{"twice", Twice()}, {"stream", Stream(3, 10)}, {"random", Random()}, {"dirty", Dirty(50)},
		{"exception", Exception()}, {"logger", Logger()}, {"initialize", Initialize()},
		{"recurse", Recurse()}, {"open file", OpenFile()}, {"silent", Silent()},
	}
}

// EchoText is the body that Echo answers with.
const EchoText = "hello, world\n"

// Echo answers every request with EchoText.
func Echo() []byte {
	g := newGuest()
	g.Data(textAddress, []byte(EchoText))
	return g.handle(0, g.sendHead(), g.send(textAddress, int32(len(EchoText)))).bytes()
}

// Environ answers with the environ message that it was given.
func Environ() []byte {
	g := newGuest()
	return g.handle(0, g.sendHead(),
		Const(messageAddress), Get(0), Const(abi.WriteLast), Call(g.write), Op(opDrop),
	).bytes()
}

// Messages answers with the boot message, then the load message.
func Messages() []byte {
	g := newGuest()
	copyMessage := func(name string, to int32) {
		// Local 0 is the length, local 1 counts down.
		g.on(name, 1,
			Const(to), Get(0), Store32(), Get(0), Set(1),
			Block(g.metered(
				Get(1), Op(opEqz), BrIf(1),
				Get(1), Const(1), Op(opSub), Set(1),
				Const(to+4), Get(1), Op(opAdd),
				Const(messageAddress), Get(1), Op(opAdd), Load8(), Store8())),
			Const(int32(abi.StatusOK)))
	}
	copyMessage(abi.ExportBoot, ioAddress)
	copyMessage(abi.ExportLoad, ioAddress+ioSize/2)
	writeKept := func(from int32) []byte {
		return Cat(Const(from+4), Const(from), Load32(), Const(0), Call(g.write), Op(opDrop))
	}
	return g.handle(0, g.sendHead(), writeKept(ioAddress), writeKept(ioAddress+ioSize/2)).bytes()
}

// Body answers with the request's body, in chunks of at most 64 KiB, and stops
// with status StatusInternal when a read or a write is refused.
func Body() []byte {
	g := newGuest()
	fail := If(Const(int32(abi.StatusInternal)), Op(opReturn))
	return g.handle(1, g.sendHead(),
		Block(g.metered(
			Const(ioAddress), Const(ioSize), Call(g.read), Tee(1), Op(opEqz), BrIf(1),
			Get(1), Const(0), Op(opLeS), fail,
			Const(ioAddress), Get(1), Const(0), Call(g.write), fail)),
	).bytes()
}

// Counter answers with two bytes: how many requests this memory has served,
// and how many the mutable global has counted.
func Counter() []byte {
	g := newGuest()
	global := g.Global(0)
	g.ExportGlobal("counter", global)
	return g.handle(0, g.sendHead(),
		Const(varsAddress), Const(varsAddress), Load8(), Const(1), Op(opAdd), Store8(),
		GlobalGet(global), Const(1), Op(opAdd), GlobalSet(global),
		Const(varsAddress+1), GlobalGet(global), Store8(),
		g.send(varsAddress, 2),
	).bytes()
}

// Spin never answers, and calls meter as a metered loop does.
func Spin() []byte {
	g := newGuest()
	return g.handle(0, g.metered()).bytes()
}

// Obedient spins until wasgi_interrupt, and then answers with the signal and
// with how far the stack pointer was moved for it, as i32 each.
func Obedient() []byte {
	g := newGuest()
	const stack = 0 // the index of the global __stack_pointer
	g.on(abi.ExportInterrupt, 0,
		keep(0, Get(0)),
		keep(1, Const(stackTop), GlobalGet(stack), Op(opSub)),
		Const(int32(abi.StatusOK)))
	return g.handle(0, g.sendHead(),
		Block(g.metered(Const(scratchAddress), Load32(), BrIf(1))),
		g.send(scratchAddress, 8)).bytes()
}

// Uninterruptible spins, and refuses wasgi_interrupt.
func Uninterruptible() []byte {
	g := newGuest()
	g.on(abi.ExportInterrupt, 0, Const(int32(abi.StatusState)))
	return g.handle(0, g.metered()).bytes()
}

// TrapInInterrupt spins, and traps in wasgi_interrupt.
func TrapInInterrupt() []byte {
	g := newGuest()
	g.on(abi.ExportInterrupt, 0, Op(opUnreachable))
	return g.handle(0, g.metered()).bytes()
}

// SpinIn never returns from the named export, handle excepted.
func SpinIn(export string) []byte {
	g := newGuest()
	return g.on(export, 0, g.metered(), Const(0)).bytes()
}

// Count answers after n metered iterations.
func Count(n int32) []byte {
	g := newGuest()
	return g.handle(1, g.sendHead(), Const(n), Set(1),
		Block(g.metered(
			Get(1), Op(opEqz), BrIf(1),
			Get(1), Const(1), Op(opSub), Set(1))),
		g.send(textAddress, 0),
	).bytes()
}

// Grow asks for memory until it is refused and answers with the number of
// pages that it has then, as an i32.
func Grow() []byte {
	g := newGuest()
	return g.handle(0, g.sendHead(),
		Block(g.metered(Const(1), MemoryGrow(), Const(-1), Op(opEq), BrIf(1))),
		keep(0, MemorySize()), g.send(scratchAddress, 4),
	).bytes()
}

// GrowIn asks for the given number of pages once in the named export and
// ignores the answer.
func GrowIn(export string, pages int32) []byte {
	g := newGuest()
	return g.on(export, 0, Const(pages), MemoryGrow(), Op(opDrop), Const(int32(abi.StatusOK))).bytes()
}

// Twice starts a response two times before the first byte: the second counts.
func Twice() []byte {
	g := newGuest()
	first, _ := abi.ResponseHead{Status: 404, Reason: "Not Found"}.Encode()
	g.Data(textAddress, first)
	return g.handle(0,
		keep(0, Const(textAddress), Const(int32(len(first))), Call(g.start)),
		keep(1, Const(headAddress), Const(int32(len(head()))), Call(g.start)),
		g.send(scratchAddress, 8),
	).bytes()
}

// Stream answers with n chunks of size bytes and stops with StatusException
// when a write is refused; the log then holds nothing.
func Stream(n, size int32) []byte {
	g := newGuest()
	return g.handle(1, g.sendHead(), Const(n), Set(1),
		Block(g.metered(
			Get(1), Op(opEqz), BrIf(1),
			Get(1), Const(1), Op(opSub), Set(1),
			Const(ioAddress), Const(size), Const(0), Call(g.write),
			If(Const(int32(abi.StatusException)), Op(opReturn)))),
	).bytes()
}

// Dirty writes a byte to the first n pages of 4 KiB after the io buffer,
// grows its memory to hold them when it boots, and answers with nothing.
func Dirty(n int32) []byte {
	g := newGuest()
	g.memoryPages += uint32(n)/16 + 1
	return g.handle(1, g.sendHead(), Const(n), Set(1),
		Block(g.metered(
			Get(1), Op(opEqz), BrIf(1),
			Get(1), Const(1), Op(opSub), Set(1),
			Const(messageAddress), Get(1), Const(12), Op(opShl), Op(opAdd), Const(0x5a), Store8())),
		g.send(textAddress, 0),
	).bytes()
}

// ExceptionText is the traceback that Exception logs.
const ExceptionText = "Traceback (most recent call last):\nValueError: tck\n"

// Exception logs a traceback and returns StatusException.
func Exception() []byte {
	g := newGuest()
	g.Data(textAddress, []byte(ExceptionText))
	return g.on(abi.ExportHandle, 0, g.raise()).bytes()
}

// ExceptionIn does the same in the named export.
func ExceptionIn(export string) []byte {
	g := newGuest()
	g.Data(textAddress, []byte(ExceptionText))
	return g.on(export, 0, g.raise()).bytes()
}

func (g *guest) raise() []byte {
	return Cat(
		Const(int32(abi.LogTraceback)), Const(textAddress), Const(int32(len(ExceptionText))), Call(g.log), Op(opDrop),
		Const(int32(abi.StatusException)))
}

// StatusIn returns a status from the named export and does nothing else.
func StatusIn(export string, s abi.Status) []byte {
	return newGuest().on(export, 0, Const(int32(s))).bytes()
}

// Logger logs "text" at each level and at an unknown one, then all of its
// first 20 pages, and answers with the five results.
func Logger() []byte {
	g := newGuest()
	g.Data(textAddress, []byte("text"))
	say := func(i, level int32) []byte {
		return keep(i, Const(level), Const(textAddress), Const(4), Call(g.log))
	}
	return g.handle(0, g.sendHead(),
		say(0, int32(abi.LogErrors)), say(1, int32(abi.LogTraceback)), say(2, int32(abi.LogGateway)), say(3, 9),
		keep(4, Const(0), Const(0), Const(MemoryPages<<16), Call(g.log)),
		g.send(scratchAddress, 20),
	).bytes()
}

// LogForever logs "text" again and again, in a metered loop.
func LogForever() []byte {
	g := newGuest()
	g.Data(textAddress, []byte("text"))
	return g.handle(0, g.metered(
		Const(int32(abi.LogErrors)), Const(textAddress), Const(4), Call(g.log), Op(opDrop))).bytes()
}

// Initialize answers with one byte: how often _initialize has run.
func Initialize() []byte {
	g := newGuest()
	g.ExportFunc("_initialize", g.Func(nil, nil, 0,
		Const(varsAddress), Const(varsAddress), Load8(), Const(1), Op(opAdd), Store8()))
	return g.handle(0, g.sendHead(), g.send(varsAddress, 1)).bytes()
}

// Restored answers with one byte: how often wasgi_after_restore has run in
// this memory.
func Restored() []byte {
	g := newGuest()
	g.on(abi.ExportAfterRestore, 0,
		Const(varsAddress), Const(varsAddress), Load8(), Const(1), Op(opAdd), Store8(), Const(0))
	return g.handle(0, g.sendHead(), g.send(varsAddress, 1)).bytes()
}

// Run answers wasgi_run with the given number.
func Run(status int32) []byte {
	return newGuest().on(abi.ExportRun, 0, Const(status)).bytes()
}

// Hungry asks for memory until it is refused and traps then, as abort() does.
func Hungry() []byte {
	g := newGuest()
	return g.handle(0,
		Block(g.metered(Const(1), MemoryGrow(), Const(-1), Op(opEq), BrIf(1))),
		Op(opUnreachable),
	).bytes()
}
