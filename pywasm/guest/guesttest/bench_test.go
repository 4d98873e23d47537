package guesttest

import (
	"syscall"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

// BenchmarkHello is the smallest request. cpu-ns/op is what it costs when other
// work shares the machine; some 2 µs of it are this harness's own.
func BenchmarkHello(b *testing.B) { benchmark(b, "hello") }

// BenchmarkStream sends a generator's two items.
func BenchmarkStream(b *testing.B) { benchmark(b, "stream") }

func benchmark(b *testing.B, app string) {
	in := start(b, abi.BootModeWSGI)
	in.load(app + ":application")
	in.snapshot()
	message := environ(b, "GET", "/")
	handle, alloc := in.module.ExportedFunction(abi.ExportHandle), in.module.ExportedFunction(abi.ExportAlloc)
	x := &exchange{}
	ctx := in.context(x)
	stack := make([]uint64, 1)
	before := cpu(b)
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
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpu is the processor time of this process in nanoseconds.
func cpu(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
