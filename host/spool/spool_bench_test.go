package spool

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"testing"
)

// BenchmarkRead receives a body, hands it on in pieces of 64 KiB, and frees it.
func BenchmarkRead(b *testing.B) {
	for _, size := range []int{100, 10_000, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s, err := New(Config{Memory: 1 << 20, MemoryTotal: math.MaxInt64, DiskTotal: 1, Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			body, piece := pattern(size), make([]byte, 64<<10)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				readOnce(b, s, body, piece)
			}
		})
	}
}

func readOnce(b *testing.B, s *Spooler, body, piece []byte) {
	got, err := s.Read(bytes.NewReader(body), 1<<20, nil)
	if err != nil {
		b.Fatal(err)
	}
	for err == nil {
		_, err = got.Read(piece)
	}
	if err != io.EOF {
		b.Fatal(err)
	}
	if err := got.Close(); err != nil {
		b.Fatal(err)
	}
}
