package pool

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// watchOver checks every 100 µs that the books of slots and pools agree, until the
// function that it returns is called.
func watchOver(t *testing.T, slots *Slots, pools []*Pool[*fake]) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	check := func() {
		slotsAgree(t, slots)
		for _, p := range pools {
			poolAgrees(t, p)
		}
	}
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			check()
			time.Sleep(100 * time.Microsecond)
		}
	}()
	return func() {
		cancel()
		<-ended
		check()
		for _, p := range pools {
			if p.paused != 0 || p.inTurn != 0 || p.settling != 0 {
				t.Errorf("%d are left paused, %d in turn, %d settling", p.paused, p.inTurn, p.settling)
			}
		}
	}
}

// slotsAgree: each slot is free or held, once, and none is free while somebody waits.
func slotsAgree(t *testing.T, s *Slots) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slots, all := slices.Clone(s.unused), []int(nil)
	for held := s.turns.head; held != nil; held = held.next {
		slots = append(slots, held.slot)
	}
	for slot := range s.size {
		all = append(all, slot)
	}
	slices.Sort(slots)
	if fmt.Sprint(slots) != fmt.Sprint(all) {
		t.Errorf("free are %v, free or held %v, of %d", s.unused, slots, s.size)
	}
	waiters := 0
	for i, a := range s.waiting {
		waiters += a.queue.length
		if a.position != i || a.queue.empty() || i > 0 && s.waiting[(i-1)/2].used > a.used {
			t.Errorf("%s is out of order among the names that wait", a.name)
		}
	}
	if waiters != s.waiters || waiters > 0 && (len(s.unused) > 0 || s.patience > 0 && !s.armed) {
		t.Errorf("%d wait, counted as %d, with %d slots free; watched: %v", waiters, s.waiters, len(s.unused), s.armed)
	}
}

// poolAgrees: no instance too many, and none idle that has a slot or that somebody waits
// for.
func poolAgrees(t *testing.T, p *Pool[*fake]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.creating + p.busy + len(p.idle)
	if known > p.live || p.live > p.cfg.Max || min(p.inTurn, p.busy, p.creating, p.paused) < 0 || p.paused > p.busy {
		t.Errorf("%d of %d instances: %d idle, %d busy (%d paused), %d creating; %d in turn", p.live, p.cfg.Max, len(p.idle), p.busy, p.paused, p.creating, p.inTurn)
	}
	if p.phase == open && len(p.idle) > 0 && p.queue.length > 0 {
		t.Errorf("%d wait for an instance, and %d are idle", p.queue.length, len(p.idle))
	}
	for _, e := range p.idle {
		if e.state != Idle || e.paused || e.lease.hasSlot || e.lease.turn.queued {
			t.Errorf("an idle instance is %v, paused %v, with a slot %v or %v", e.state, e.paused, e.lease.hasSlot, e.lease.turn.queued)
		}
	}
}
