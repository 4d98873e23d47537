package metrics

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCounts(t *testing.T) {
	m := New(Options{Tenants: 1})
	shop := m.Serving("shop")
	for _, status := range []int{200, 200, 304, 404, 499, 500, 101} {
		shop.Observe(Request{Status: status, Duration: 2 * time.Millisecond})
	}
	shop.Observe(Request{Status: 504, Duration: time.Hour})
	want := Counts{Requests: 8, ClientErrors: 2, ServerErrors: 2, Latency: []uint64{0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7}}
	got, ok := m.Counts("shop")
	if diff := cmp.Diff(want, got); diff != "" || !ok || len(got.Latency) != len(Bounds()) {
		t.Error(ok, diff)
	}
	m.Serving("wiki").Observe(Request{Status: 200}) // has no place
	var none *Metrics
	for _, m := range []*Metrics{m, none} {
		if got, ok := m.Counts("wiki"); ok {
			t.Errorf("%+v", got)
		}
	}
}

func BenchmarkCounts(b *testing.B) {
	m := New(Options{Tenants: 1})
	m.Serving("shop").Observe(Request{Status: 200})
	b.ReportAllocs()
	for b.Loop() {
		m.Counts("shop")
	}
}
