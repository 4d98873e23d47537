package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasgi/wasgi/abi/tck"
)

func benchInstance(b *testing.B, module []byte) *Instance {
	b.Helper()
	in := instanceOf(b, module)
	in.engine.verify = false
	return in
}

func BenchmarkRestore(b *testing.B) {
	e := newEngine(b, tck.Echo())
	im := build(b, e, Spec{})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		in, err := im.Restore(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if err := in.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifySnapshot is what a first call after a start may wait for.
func BenchmarkVerifySnapshot(b *testing.B) {
	memory := make([]byte, 16<<20)
	for i := range memory {
		memory[i] = byte(i>>12 | 1)
	}
	h := header{size: uint64(len(memory))}
	pages := mapPages(memory)
	f, err := os.Create(filepath.Join(b.TempDir(), "image"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := h.writeFile(f, memory, pages); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, verifyBuffer)
	b.SetBytes(int64(len(memory)))
	for b.Loop() {
		if err := h.verify(f, pages, buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkServeEcho(b *testing.B) {
	in := benchInstance(b, tck.Echo())
	q, ctx := emptyRequest(), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := in.Serve(ctx, q, nobody{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkServeBody64K(b *testing.B) {
	in := benchInstance(b, tck.Stream(1, 65536))
	q, ctx := emptyRequest(), context.Background()
	b.SetBytes(65536)
	for b.Loop() {
		if err := in.Serve(ctx, q, nobody{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMeter is the price of a turn of a metered loop, checks included.
func BenchmarkMeter(b *testing.B) {
	const turns = 10_000_000
	in := benchInstance(b, tck.Count(turns))
	q, ctx := emptyRequest(), context.Background()
	for b.Loop() {
		if err := in.Serve(ctx, q, nobody{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/turns, "ns/turn")
}

// BenchmarkReset serves a request that dirties pages, and puts them back; the
// request's part is in BenchmarkDirty.
func BenchmarkReset(b *testing.B) {
	for _, pages := range []int32{1, 50, 300, 2000} {
		for _, scan := range []bool{true, false} {
			b.Run(fmt.Sprintf("pages=%d/scan=%v", pages, scan), func(b *testing.B) {
				in := benchInstance(b, tck.Dirty(pages))
				if scan && !in.engine.dirty.scan {
					b.Skip("this kernel has no PAGEMAP_SCAN")
				}
				in.engine.dirty.scan = scan
				q, ctx := emptyRequest(), context.Background()
				for b.Loop() {
					if err := in.Serve(ctx, q, nobody{}); err != nil {
						b.Fatal(err)
					}
					if err := in.Reset(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkFind is the search alone, over 40 MiB, as after a request of Flask.
func BenchmarkFind(b *testing.B) {
	for _, scan := range []bool{true, false} {
		b.Run(fmt.Sprintf("scan=%v", scan), func(b *testing.B) {
			in := benchInstance(b, tck.Dirty(300))
			if scan && !in.engine.dirty.scan {
				b.Skip("this kernel has no PAGEMAP_SCAN")
			}
			in.engine.dirty.scan = scan
			if _, ok := in.module.Memory().Grow(640 - tck.MemoryPages - 20); !ok {
				b.Fatal("memory did not grow")
			}
			memory := in.memory.base[:in.memory.size]
			for i := 0; i < 300; i++ {
				memory[i*len(memory)/300] = 1
			}
			for b.Loop() {
				if err := in.engine.dirty.find(memory, &in.dirty); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
