package console

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/host/admin/console/history"
)

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{count(0), "0"}, {count(9999), "9999"}, {count(10000), "10\u2009000"}, {count(1284201), "1\u2009284\u2009201"},
		{size(0), "0 B"}, {size(999), "999 B"}, {size(1000), "0.98 KiB"}, {size(2 << 30), "2 GiB"}, {size(211 << 20), "211 MiB"}, {size(1.5 * (1 << 20)), "1.5 MiB"},
		{span(-1), "–"}, {span(0), "0 ms"}, {span(0.00042), "0.42 ms"}, {span(0.0986), "98.6 ms"}, {span(0.9999), "1 s"}, {span(12.34), "12.3 s"},
		{short(9.994), "9.99"}, {short(9.999), "10.0"}, {short(99.96), "100"},
		{sentence("it is so"), "It is so."}, {sentence("Two\nlines"), "Two\nlines"}, {sentence("shop: it is so"), "shop: it is so."}, {sentence(""), ""}, {sentence("élan vital."), "Élan vital."},
		{ago(30 * time.Second), "just now"}, {ago(119 * time.Minute), "119 min ago"}, {ago(47 * time.Hour), "47 h ago"}, {ago(72 * time.Hour), "3 days ago"},
		{visible("a\tb\nc"), "a\tb\nc"}, {visible("\x00\x7f\u0085"), `\x00\x7f\x85`}, {visible("\u2066x\ufeff\u2028"), `\u2066x\ufeff\u2028`}, {visible("\xff"), "\ufffd"}, {visible("żółw 🐢"), "żółw 🐢"},
		{digest("abc"), "abc"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	if got := visible(string(make([]byte, maxShown+1))); len(got) > 4*maxShown+10 {
		t.Errorf("%d bytes", len(got))
	}
}

func FuzzVisible(f *testing.F) {
	f.Add(evil)
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range visible(text) {
			if hidden(c) {
				t.Fatalf("%q has %q", visible(text), c)
			}
		}
	})
}

func TestCeiling(t *testing.T) {
	for n, want := range map[float64]float64{0: 1, 0.3: 0.4, 1: 1, 1.1: 2, 3: 4, 4.5: 5, 7: 8, 9: 10, 1790: 2000, 0.001: 0.001} {
		if got := ceiling(n); got != want {
			t.Errorf("%v: %v, want %v", n, got, want)
		}
	}
	if got := (chart{bytes: true}).ceiling(301 << 20); got != 400<<20 {
		t.Error(got)
	}
}

// made feeds a history one value a minute; below zero skips a minute.
func made(t *testing.T, requests ...int) (*Console, *fake) {
	t.Helper()
	f := &fake{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), counters: map[string]history.Reading{"a": {Tenant: "a", Counted: true, Requests: 1}}}
	h := history.New(f, history.Options{Now: func() time.Time { return f.now }})
	h.Read()
	for _, n := range requests {
		f.now = f.now.Add(time.Minute)
		if n < 0 {
			continue
		}
		c := f.counters["a"]
		c.Requests += uint64(n)
		f.counters["a"] = c
		h.Read()
	}
	return &Console{Config: Config{History: h, Now: f.clock}}, f
}

func TestChart(t *testing.T) {
	c, _ := made(t, 2, 4, -1, -1, 4, 0)
	got := c.past("a", "").Charts[0]
	want := chart{
		ID: "requests", Title: "Requests a minute", Now: "0", About: "7 in all, 4 in the busiest minute.", Top: "4", Half: "2", Times: []string{"11:06", "11:36", "12:06"},
		Shapes: []shape{
			{"main area", "M540.0 100V50.0H550.0L560.0 0.0V100zM580.0 100V75.0H590.0L600.0 100.0V100z"},
			{"main line", "M540.0 50.0H550.0L560.0 0.0M580.0 75.0H590.0L600.0 100.0"},
		},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(chart{})); diff != "" {
		t.Error(diff)
	}
	if got := c.past("none", "6h"); !got.None || !got.Charts[2].Empty || got.Periods[2].On != true {
		t.Errorf("%+v", got)
	}
}

func TestTable(t *testing.T) {
	c, _ := made(t, 1, 1, 1, 1, 1, 5, 0)
	want := []figures{
		{From: "12:05", Requests: "5", Client: "0", Server: "0", Median: "–", Slow: "–", Memory: "0 B"},
		{From: "12:00", Requests: "5", Client: "0", Server: "0", Median: "–", Slow: "–", Memory: "0 B"},
	}
	if diff := cmp.Diff(want, c.past("a", "1h").Rows); diff != "" {
		t.Error(diff)
	}
}
