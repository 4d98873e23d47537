package history

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// counters is a source that tests write to.
type counters map[string]Reading

func (c counters) Bounds() []float64 { return []float64{0.01, 0.1, 1} }

func (c counters) Read() []Reading {
	var out []Reading
	for _, r := range c {
		out = append(out, r)
	}
	return out
}

// serve counts requests that took 5 ms, 50 ms and 5 s.
func (c counters) serve(tenant string, quick, middling, slow uint64) {
	r := c[tenant]
	if r.Latency == nil {
		r = Reading{Tenant: tenant, Counted: true, Memory: 1000, Latency: make([]uint64, 3)}
	}
	n := append([]uint64{}, r.Latency...)
	n[0] += quick
	n[1] += quick + middling
	n[2] += quick + middling
	r.Latency, r.Requests = n, r.Requests+quick+middling+slow
	r.ServerErrors += slow
	c[tenant] = r
}

// clock is a time that tests move.
type clock struct{ time.Time }

func (c *clock) minute(h *History) {
	c.Time = c.Add(time.Minute)
	h.Read()
}

func made(c counters, o Options) (*History, *clock) {
	at := &clock{time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	o.Now = func() time.Time { return at.Time }
	h := New(c, o)
	h.Read()
	return h, at
}

func minuteOf(at time.Time) uint32 { return uint32(at.Unix() / 60) }

func TestSamplesAreDifferences(t *testing.T) {
	c := counters{}
	c.serve("shop", 100, 0, 0)
	h, at := made(c, Options{})
	if got := h.Since("shop", time.Hour); len(got) != 0 {
		t.Errorf("before a minute is over: %+v", got)
	}
	c.serve("shop", 10, 10, 0)
	c.serve("wiki", 0, 4, 1)
	at.minute(h)
	at.minute(h)
	first := minuteOf(at.Add(-time.Minute))
	want := []Sample{
		{minute: first, Requests: 20, Median: 0.01, Slow: 0.091, Memory: 1000},
		{minute: first + 1, Median: -1, Slow: -1, Memory: 1000},
	}
	near := cmpopts.EquateApprox(0, 1e-6)
	if diff := cmp.Diff(want, h.Since("shop", time.Hour), near, cmp.AllowUnexported(Sample{})); diff != "" {
		t.Error(diff)
	}
	// What the first reading of all finds is not known to be of this minute, what a
	// tenant has that was not there before is.
	want = []Sample{
		{minute: first, Requests: 5, ServerErrors: 1, Median: 0.066250, Slow: 1, Memory: 1000},
		{minute: first + 1, Median: -1, Slow: -1, Memory: 1000},
	}
	if diff := cmp.Diff(want, h.Since("wiki", time.Hour), near, cmp.AllowUnexported(Sample{})); diff != "" {
		t.Error(diff)
	}
	all := h.Since(All, time.Hour)
	if len(all) != 2 || all[0].Requests != 25 || all[0].ServerErrors != 1 || all[0].Memory != 2000 {
		t.Errorf("%+v", all)
	}
	if got := h.Since("shop", 30*time.Second); len(got) != 1 || !got[0].At().Equal(at.Time) {
		t.Errorf("%+v", got)
	}
}

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		counts []uint64
		all    uint64
		want   float32
	}{
		{[]uint64{10, 10, 10}, 10, 0.005},
		{[]uint64{0, 10, 10}, 10, 0.055},
		{[]uint64{0, 0, 0}, 10, 1},
		{nil, 10, -1},
	} {
		if got := quantile(0.5, counters{}.Bounds(), c.counts, c.all); got-c.want > 1e-6 || c.want-got > 1e-6 {
			t.Errorf("%v: %v, want %v", c.counts, got, c.want)
		}
	}
}

// A counter that begins anew, and a machine that slept.
func TestIrregular(t *testing.T) {
	c := counters{}
	c.serve("shop", 100, 0, 0)
	h, at := made(c, Options{})
	delete(c, "shop")
	c.serve("shop", 7, 0, 0)
	at.minute(h)
	c.serve("shop", 60, 0, 0)
	at.Time = at.Add(9 * time.Minute)
	at.minute(h)
	got := h.Since("shop", time.Hour)
	if len(got) != 2 || got[0].Requests != 7 || got[1].Requests != 6 || got[1].At().Sub(got[0].At()) != 10*time.Minute {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	c := counters{}
	h, at := made(c, Options{Keep: 3 * time.Minute, Bytes: 3 * 3 * sampleBytes})
	c.serve("a", 1, 0, 0)
	at.minute(h)
	for range 5 {
		c.serve("a", 1, 0, 0)
		at.minute(h)
	}
	if got := h.Since("a", time.Hour); len(got) != 3 || got[0].At().Sub(at.Time) != -2*time.Minute {
		t.Errorf("%+v", got)
	}
	for n := range 50 { // two have room beside the sum of all; a goes on, the others rest
		c.serve("a", 1, 0, 0)
		c.serve(fmt.Sprintf("t%d", n), 1, 0, 0)
		at.minute(h)
		if len(h.series) > 3 || len(h.series["a"].ring) != 3 {
			t.Fatalf("%d series", len(h.series))
		}
	}
	if h.series["t49"] == nil || h.series["t0"] != nil {
		t.Error("the quietest does not make room")
	}
	idle := counters{"x": {Tenant: "x", Counted: true}}
	h, at = made(idle, Options{})
	at.minute(h)
	if len(h.series) != 1 {
		t.Error("a tenant that has done nothing takes room")
	}
}

// The next tenant of a name sees nothing of the one before.
func TestGone(t *testing.T) {
	c := counters{}
	c.serve("shop", 5, 0, 0)
	h, at := made(c, Options{})
	at.minute(h)
	delete(c, "shop")
	at.minute(h)
	c.serve("shop", 1, 0, 0)
	at.minute(h)
	if got := h.Since("shop", time.Hour); len(got) != 1 || got[0].Requests != 1 {
		t.Errorf("%+v", got)
	}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := counters{}
		c.serve("shop", 5, 0, 0)
		h := New(c, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { h.Run(ctx); close(done) }()
		time.Sleep(3*time.Minute + time.Second) // of the bubble's clock
		if got := h.Since("shop", time.Hour); len(got) != 3 {
			t.Errorf("%+v", got)
		}
		cancel()
		<-done
	})
}
