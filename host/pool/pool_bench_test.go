package pool

import (
	"context"
	"testing"
)

type nothing struct{}

func (nothing) Reset() error { return nil }
func (nothing) Usable() bool { return true }
func (nothing) Close() error { return nil }

func benchPool(b *testing.B, max, slots int) *Pool[nothing] {
	b.Helper()
	p := New(Config[nothing]{
		Name: "bench", Min: 1, Max: max, QueueLength: 1 << 20, Slots: NewSlots(slots),
		New: func(context.Context) (nothing, error) { return nothing{}, nil },
	})
	b.Cleanup(p.Close)
	l, err := p.Acquire(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	l.Release()
	return p
}

func BenchmarkUncontended(b *testing.B) {
	p := benchPool(b, 4, 4)
	b.ReportAllocs()
	ctx := b.Context()
	for b.Loop() {
		l, err := p.Acquire(ctx)
		if err != nil {
			b.Fatal(err)
		}
		l.Release()
	}
}

func BenchmarkParallel(b *testing.B) {
	p := benchPool(b, 4, 2)
	b.ReportAllocs()
	ctx := b.Context()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l, err := p.Acquire(ctx)
			if err != nil {
				b.Error(err)
				return
			}
			l.Release()
		}
	})
}
