package spool

import (
	"bytes"
	"errors"
	"testing"
)

func TestAShareLeavesRoomForOthers(t *testing.T) {
	for name, c := range map[string]Config{
		"memory": {Memory: 1000, MemoryTotal: 400, DiskTotal: 0},
		"disk":   {Memory: 0, MemoryTotal: 0, DiskTotal: 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpooler(t, c)
			greedy, other := s.Share(4, 0), s.Share(4, 0)
			var held []*Body
			keep := func(s *Spooler, n int) error {
				b, err := s.Read(bytes.NewReader(pattern(n)), 1000, nil)
				if err == nil {
					held = append(held, b)
				}
				return err
			}
			for range 2 {
				if err := keep(greedy, 50); err != nil {
					t.Fatal(err)
				}
			}
			if err := keep(greedy, 1); !errors.Is(err, ErrFull) {
				t.Errorf("a byte above the share: %v", err)
			}
			if err := keep(other, 100); err != nil {
				t.Errorf("the other: %v", err)
			}
			if err := errors.Join(keep(s.Share(4, 0), 100), keep(s.Share(4, 0), 100)); err != nil {
				t.Fatal(err)
			}
			if err := keep(s.Share(4, 0), 1); !errors.Is(err, ErrFull) {
				t.Errorf("a byte above the whole: %v", err)
			}
			for _, b := range held {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			}
			for _, s := range []*Spooler{s, greedy, other} {
				if m, d := s.memory.taken.Load(), s.disk.taken.Load(); m != 0 || d != 0 {
					t.Errorf("%d and %d bytes are still taken", m, d)
				}
			}
		})
	}
}

func TestAShareHoldsOneBodyOfTheLargestSize(t *testing.T) {
	b, err := newSpooler(t, Config{DiskTotal: 1000}).Share(4, 900).Read(bytes.NewReader(pattern(900)), 900, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
