package sandbox

import (
	"runtime"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi/tck"
)

func TestBudgetsAreATree(t *testing.T) {
	host := NewBudget(800, nil)
	a, b := NewBudget(640, host), NewBudget(640, host)
	for i, step := range []struct {
		from *Budget
		n    uint64
		ok   bool
	}{{a, 560, true}, {a, 1, false}, {b, 141, false}, {b, 140, true}, {b, 1, false}} {
		if ok := step.from.Take(step.n); ok != step.ok {
			t.Errorf("step %d: Take(%d) = %v", i, step.n, ok)
		}
	}
	if host.Used() != 700 || a.Used() != 560 || b.Used() != 140 {
		t.Errorf("used %d, %d, %d", host.Used(), a.Used(), b.Used())
	}
	if b.TakeWritten(51) || !b.TakeWritten(50) || b.TakeWritten(1) {
		t.Error("what was written to has not half of the reserve")
	}
	if b.TakeReserve(51) || !b.TakeReserve(50) || b.TakeReserve(1) {
		t.Error("the reserve is not an eighth")
	}
	a.Give(560)
	if !b.Take(320) || host.Used() != 560 || b.Limit() != 640 {
		t.Errorf("after giving back: used %d, %d", host.Used(), b.Used())
	}
	if c := NewBudget(80, host); !c.TakeWritten(80) || c.TakeReserve(1) {
		t.Error("a tenant's reserve is not for what its instances wrote to")
	}
	var none *Budget
	if none.Give(5); !none.Take(1<<60) || none.Used() != 0 || none.Limit() != 0 {
		t.Error("no budget is no limit")
	}
}

// TestReliefComesFirst: what its owner can do without is given back before anything is refused.
func TestReliefComesFirst(t *testing.T) {
	host := NewBudget(1600, nil)
	asked, idle := 0, uint64(300)
	var b *Budget
	b = NewBudget(800, host).WithRelief(func() bool {
		asked++
		given := idle
		b.Give(given)
		idle = 0
		return given > 0
	})
	unlimited := NewBudget(0, host).WithRelief(func() bool { asked++; return false })
	for i, step := range []struct {
		take  func(uint64) bool
		n     uint64
		ok    bool
		asked int
		used  uint64
	}{
		{take: b.Take, n: 300, ok: true, asked: 0, used: 300},         // the idle one's
		{take: b.Take, n: 701, ok: false, asked: 0, used: 300},        // more than can ever be had
		{take: b.Take, n: 600, ok: true, asked: 1, used: 600},         // in its place
		{take: b.TakeWritten, n: 201, ok: false, asked: 2, used: 600}, // nothing is idle
		{take: b.TakeReserve, n: 200, ok: true, asked: 2, used: 800},
		{take: unlimited.Take, n: 1401, ok: false, asked: 2, used: 800}, // more than the host has
	} {
		if ok := step.take(step.n); ok != step.ok || asked != step.asked || b.Used() != step.used || host.Used() != step.used {
			t.Errorf("step %d: %v, asked %d times, used %d and %d", i, ok, asked, b.Used(), host.Used())
		}
	}
}

// TestEverythingIsGivenBack books instances and an image in RAM and finds the
// budget empty when they are gone.
func TestEverythingIsGivenBack(t *testing.T) {
	budget := NewBudget(64<<20, nil)
	e := newEngine(t, tck.Dirty(500))
	im, err := e.Build(t.Context(), Spec{Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	image := budget.Used()
	if want := im.Stats().NonZeroBytes; image != want {
		t.Errorf("an image of %d bytes is booked as %d", want, image)
	}
	in, err := im.Restore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := budget.Used() - image; got != overhead {
		t.Errorf("a new instance is booked as %d bytes", got)
	}
	serve(t, in, emptyRequest())
	if !in.book() || budget.Used()-image < overhead+500*imagePage {
		t.Errorf("500 dirty pages are booked as %d bytes", budget.Used()-image-overhead)
	}
	closed(t, in.Close())
	closed(t, im.Close())
	if budget.Used() != 0 {
		t.Errorf("%d bytes were not given back", budget.Used())
	}
}

// TestShortRequestsAreBooked: many instances that each run for a moment and then
// wait must not have more together than their budget.
func TestShortRequestsAreBooked(t *testing.T) {
	budget := NewBudget(64<<20, nil)
	im := build(t, newEngine(t, tck.Dirty(500)), Spec{Budget: budget})
	in := restore(t, im)
	before := budget.Used()
	for used := time.Duration(0); used < 5*time.Millisecond; used += in.Stats().CPU {
		serve(t, in, emptyRequest())
	}
	if got := budget.Used() - before; got < 500*imagePage {
		t.Errorf("500 dirty pages are booked as %d bytes after 5 ms", got)
	}
}

func TestLooksAreRareWhereTheyAreDear(t *testing.T) {
	for cost, want := range map[time.Duration]time.Duration{
		0: bookEvery, 10 * time.Microsecond: bookEvery, 200 * time.Microsecond: 10 * time.Millisecond, time.Second: bookLast,
	} {
		b := books{cost: cost}
		if b.due(want-1) || !b.due(want) {
			t.Errorf("after a look of %v the next is not after %v", cost, want)
		}
	}
}

// TestNoRoomForTheFirstMemory: what a guest starts with is a want of memory like
// any other, and ends nothing but the start.
func TestNoRoomForTheFirstMemory(t *testing.T) {
	e := newEngine(t, tck.Echo())
	budget := NewBudget(overhead+e.guest.min-1, nil)
	_, err := e.Build(t.Context(), Spec{Budget: budget})
	wantKind(t, err, KindMemory)
	_, err = e.Python(t.Context(), PythonSpec{Budget: budget})
	wantKind(t, err, KindMemory)
	if used := budget.Used(); used != 0 {
		t.Errorf("%d bytes were not given back", used)
	}
}

// TestAnInstanceThatOutgrowsItsBudgetIsNotUsedAgain: by what it wrote to.
func TestAnInstanceThatOutgrowsItsBudgetIsNotUsedAgain(t *testing.T) {
	budget := NewBudget(64<<20, nil)
	im := build(t, newEngine(t, tck.Dirty(500)), Spec{Budget: budget})
	in := restore(t, im)
	budget.limit = budget.Used() + 100*imagePage
	in.books.cpu = bookLast // as if it had run long enough to be looked at
	serve(t, in, emptyRequest())
	if in.Usable() {
		t.Error("usable")
	}
}

// TestAnInstanceThatHasGrownAsFarAsItMayGoesOn: what it writes to afterwards of
// its snapshot does not end it.
func TestAnInstanceThatHasGrownAsFarAsItMayGoesOn(t *testing.T) {
	budget := NewBudget(0, nil)
	im := build(t, newEngine(t, tck.Dirty(1500)), Spec{Budget: budget})
	in := restore(t, im)
	budget.limit = 128 << 20
	if grown := budget.limit/8*7 - budget.Used(); !budget.Take(grown) || budget.Take(1) {
		t.Fatal("the budget is not as full as a guest can make it")
	}
	in.books.cpu = bookLast // as if it had run long enough to be looked at
	serve(t, in, emptyRequest())
	if !in.Usable() || in.books.held < 1500*imagePage {
		t.Errorf("usable: %v, booked: %d", in.Usable(), in.books.held)
	}
}

func TestNoInstanceWithoutRoom(t *testing.T) {
	budget := NewBudget(0, nil)
	im := build(t, newEngine(t, tck.Echo()), Spec{Budget: budget})
	budget.limit = budget.Used() + overhead - 1
	_, err := im.Restore(t.Context())
	wantKind(t, err, KindMemory)
	before := budget.Used()
	_, err = im.engine.Build(t.Context(), Spec{Budget: budget})
	wantKind(t, err, KindMemory)
	if budget.Used() != before {
		t.Errorf("%d bytes stay booked", budget.Used()-before)
	}
}

// settled is what is booked when nothing waits for the collector any more, here or
// above.
func settled(b *Budget) uint64 {
	for p := b; p != nil; p = p.Parent() {
		for p.Garbage() > 0 {
			runtime.GC()
			runtime.Gosched()
		}
	}
	return b.Used()
}

// TestGiveLaterWaitsForTheCollector: memory of Go's heap is nobody's until the
// collector has found it.
func TestGiveLaterWaitsForTheCollector(t *testing.T) {
	parent := NewBudget(0, nil)
	b := NewBudget(100, parent)
	if !b.TakeReserve(100) {
		t.Fatal("refused")
	}
	b.GiveLater(60)
	if b.Take(1) || !b.TakeReserve(60) || b.TakeReserve(1) || parent.Used() != 160 || parent.Garbage() != 60 {
		t.Errorf("before the collector: used %d, garbage %d", parent.Used(), parent.Garbage())
	}
	if settled(b) != 100 || parent.Used() != 100 || parent.Garbage() != 0 {
		t.Errorf("after it: used %d and %d, garbage %d", b.Used(), parent.Used(), parent.Garbage())
	}
}

// TestBooksLeaveWhatIsTaken books garbage that nobody had looked at yet, above
// the limit if need be.
func TestBooksLeaveWhatIsTaken(t *testing.T) {
	budget := NewBudget(8<<20, nil)
	var b books
	if !b.open(budget) || !b.adjust(budget, overhead, 1<<20) {
		t.Fatal("refused")
	}
	b.leave(budget, 10<<20) // of which 1 MiB was known
	if budget.Used() != overhead+10<<20 || budget.Garbage() != 10<<20 || b.heap != 0 || b.held != overhead {
		t.Errorf("used %d, garbage %d, %+v", budget.Used(), budget.Garbage(), b)
	}
	b.close(budget)
	if n := settled(budget); n != 0 {
		t.Errorf("%d bytes are lost", n)
	}
}
