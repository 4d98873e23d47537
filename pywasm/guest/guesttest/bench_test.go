package guesttest

import (
	"testing"

	"github.com/wasgi/wasgi/abi"
)

func BenchmarkHello(b *testing.B) {
	in := start(b, abi.BootModeWSGI)
	in.load("hello:application")
	message := environ(b, "GET", "/")
	handle, alloc := in.module.ExportedFunction(abi.ExportHandle), in.module.ExportedFunction(abi.ExportAlloc)
	x := &exchange{}
	ctx := in.context(x)
	stack := make([]uint64, 1)
	for b.Loop() {
		x.calls = x.calls[:0]
		stack[0] = uint64(len(message))
		if err := alloc.CallWithStack(ctx, stack); err != nil {
			b.Fatal(err)
		}
		in.module.Memory().Write(uint32(stack[0]), message)
		stack[0] = uint64(len(message))
		if err := handle.CallWithStack(ctx, stack); err != nil || stack[0] != 0 {
			b.Fatal(err, stack[0], x.logs())
		}
	}
}
