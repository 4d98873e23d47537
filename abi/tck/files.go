package tck

import (
	"encoding/binary"
	"time"

	"github.com/wasgi/wasgi/abi"
)

// wasiModule is the name of WASI's import module.
const wasiModule = "wasi_snapshot_preview1"

// FileName is the file that OpenFile and OpenFileIn open, below the first
// preopened directory.
const FileName = "file.txt"

// Exit calls proc_exit in handle.
func Exit(code int32) []byte { return ExitIn(abi.ExportHandle, code) }

// ExitIn calls proc_exit in the named export.
func ExitIn(export string, code int32) []byte {
	g := newGuest()
	exit := g.Import(wasiModule, "proc_exit", []Type{I32}, nil)
	return g.on(export, 0, Const(code), Call(exit), Op(opUnreachable)).bytes()
}

// Random answers with 16 bytes from random_get.
func Random() []byte {
	g := newGuest()
	random := g.Import(wasiModule, "random_get", []Type{I32, I32}, []Type{I32})
	return g.handle(0, g.sendHead(),
		Const(scratchAddress), Const(16), Call(random), Op(opDrop),
		g.send(scratchAddress, 16)).bytes()
}

// Reseeded answers with 16 bytes that wasgi_after_restore drew, as Python's
// random state is drawn.
func Reseeded() []byte {
	g := newGuest()
	random := g.Import(wasiModule, "random_get", []Type{I32, I32}, []Type{I32})
	g.on(abi.ExportAfterRestore, 0, Const(varsAddress), Const(16), Call(random))
	return g.handle(0, g.sendHead(), g.send(varsAddress, 16)).bytes()
}

// OpenFile opens FileName in every request, leaves it open, and answers with
// the error number and the descriptor, as i32 each.
func OpenFile() []byte {
	g, open := newFileGuest()
	return g.handle(0, g.sendHead(), open, g.send(scratchAddress, 8)).bytes()
}

// OpenFileForever opens FileName again and again, in a metered loop.
func OpenFileForever() []byte {
	g, open := newFileGuest()
	return g.handle(0, g.metered(open)).bytes()
}

// OpenFileIn opens FileName in the named export and leaves it open.
func OpenFileIn(export string) []byte {
	g, open := newFileGuest()
	return g.on(export, 0, open, Const(int32(abi.StatusOK))).bytes()
}

// Print writes "out" to descriptor 1 and "err" to descriptor 2 in the named
// export and returns 0.
func Print(export string) []byte {
	g := newGuest()
	write := g.Import(wasiModule, "fd_write", []Type{I32, I32, I32, I32}, []Type{I32})
	g.Data(textAddress, []byte("outerr"))
	say := func(fd, text int32) []byte {
		return Cat(
			Const(scratchAddress), Const(text), Store32(),
			Const(scratchAddress+4), Const(3), Store32(),
			Const(fd), Const(scratchAddress), Const(1), Const(scratchAddress+8), Call(write), Op(opDrop))
	}
	return g.on(export, 0, say(1, textAddress), say(2, textAddress+3), Const(0)).bytes()
}

// newFileGuest has instructions that open FileName for reading below
// descriptor 3.
func newFileGuest() (*guest, []byte) {
	g := newGuest()
	open := g.Import(wasiModule, "path_open",
		[]Type{I32, I32, I32, I32, I32, I64, I64, I32, I32}, []Type{I32})
	g.Data(textAddress, []byte(FileName))
	const rightRead = 2
	return g, keep(0,
		Const(3), Const(1), Const(textAddress), Const(int32(len(FileName))),
		Const(0), Const64(rightRead), Const64(0), Const(0), Const(scratchAddress+4), Call(open))
}

// Sleep sleeps for d in handle, with poll_oneoff as wasi-libc does, and
// answers then. It comes by meter after the sleep.
func Sleep(d time.Duration) []byte {
	g := newGuest()
	poll := g.Import(wasiModule, "poll_oneoff", []Type{I32, I32, I32, I32}, []Type{I32})
	// A subscription: userdata, tag 0 (clock), clock 1 (monotonic), timeout,
	// precision, flags 0 (relative).
	sub := make([]byte, 48)
	sub[16] = 1
	binary.LittleEndian.PutUint64(sub[24:], uint64(d))
	g.Data(textAddress, sub)
	return g.handle(0, g.sendHead(),
		Const(textAddress), Const(ioAddress), Const(1), Const(scratchAddress), Call(poll), Op(opDrop),
		Call(g.meter), GlobalSet(g.fuel),
		g.send(textAddress, 0)).bytes()
}
