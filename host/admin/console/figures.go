package console

import (
	"fmt"
	"time"

	"github.com/wasgi/wasgi/host/admin/console/history"
)

// period is a time that charts can show.
type period struct {
	Name string // in the address
	Text string
	of   time.Duration
	step time.Duration // of the table
	On   bool
}

func periods() []period {
	return []period{
		{Name: "1h", Text: "1 h", of: time.Hour, step: 5 * time.Minute},
		{Name: "3h", Text: "3 h", of: 3 * time.Hour, step: 15 * time.Minute},
		{Name: "6h", Text: "6 h", of: 6 * time.Hour, step: 30 * time.Minute},
	}
}

// seen is what a page shows of the past.
type seen struct {
	Charts  []chart
	Rows    []figures
	Periods []period
	Step    string
	None    bool // nothing has been seen yet
	Shared  bool // its requests are counted with those of others
}

// figures are some minutes in numbers.
type figures struct {
	From                     string
	Requests, Client, Server string
	Median, Slow, Memory     string
}

// past draws what a tenant did; history.All is all of them.
func (c *Console) past(tenant, name string) seen {
	all := periods()
	chosen := 0
	for i := range all {
		if all[i].Name == name {
			chosen = i
		}
	}
	all[chosen].On = true
	p := all[chosen]
	now := c.Now()
	samples := c.History.Since(tenant, p.of)
	q := plot{samples: samples, from: now.Add(-p.of), to: now}
	return seen{Charts: charts(q), Rows: tabulate(samples, p.step), Periods: all, Step: fmt.Sprintf("%d minutes", int(p.step.Minutes())), None: len(samples) == 0,
		Shared: len(samples) > 0 && !c.History.Counted(tenant)}
}

func charts(p plot) []chart {
	last := history.Sample{Median: -1, Slow: -1}
	if len(p.samples) > 0 {
		last = p.samples[len(p.samples)-1]
	}
	t := total(p.samples)
	number := func(v float64) string { return short(v) }
	failed := func(s history.Sample) float64 { return float64(s.ServerErrors) }
	refused := func(s history.Sample) float64 { return float64(s.ServerErrors) + float64(s.ClientErrors) }
	return []chart{
		p.draw(chart{ID: "requests", Title: "Requests a minute", Now: count(uint64(last.Requests)),
			About: fmt.Sprintf("%s in all, %s in the busiest minute.", count(t.requests), count(t.busiest))},
			4, number, row{class: "main", under: true, of: func(s history.Sample) float64 { return float64(s.Requests) }}),
		p.draw(chart{ID: "errors", Title: "Errors a minute", Now: count(uint64(last.ServerErrors)),
			About: fmt.Sprintf("%s answers of 500 and above, %s of 400 and above.", count(t.server), count(t.client)),
			Keys:  []key{{"bad", "5xx"}, {"fair", "4xx"}}},
			4, number, row{class: "fair", bars: true, of: refused}, row{class: "bad", bars: true, of: failed}),
		p.draw(chart{ID: "latency", Title: "Latency", Now: span(float64(last.Slow)),
			About: fmt.Sprintf("95 of 100 requests within %s in the slowest minute.", span(t.slow)),
			Keys:  []key{{"main", "95 %"}, {"soft", "median"}}},
			0.001, span, row{class: "main", of: func(s history.Sample) float64 { return float64(s.Slow) }},
			row{class: "soft", of: func(s history.Sample) float64 { return float64(s.Median) }}),
		p.draw(chart{ID: "memory", Title: "Memory", bytes: true, Now: size(float64(last.Memory)),
			About: fmt.Sprintf("%s at most.", size(float64(t.memory)))},
			1<<20, size, row{class: "main", under: true, of: func(s history.Sample) float64 { return float64(s.Memory) }}),
	}
}

// totals of samples.
type totals struct {
	requests, client, server, busiest uint64
	slow, median                      float64 // the largest, negative for none
	memory                            uint64  // the largest
}

func total(samples []history.Sample) totals {
	t := totals{slow: -1, median: -1}
	for _, s := range samples {
		t.requests += uint64(s.Requests)
		t.client += uint64(s.ClientErrors)
		t.server += uint64(s.ServerErrors)
		t.busiest = max(t.busiest, uint64(s.Requests))
		t.slow, t.median = max(t.slow, float64(s.Slow)), max(t.median, float64(s.Median))
		t.memory = max(t.memory, s.Memory)
	}
	return t
}

// tabulate adds up steps, the newest first.
func tabulate(samples []history.Sample, step time.Duration) []figures {
	var out []figures
	for end := len(samples); end > 0; {
		from := samples[end-1].At().Add(-time.Second).Truncate(step)
		begin := end - 1
		for begin > 0 && samples[begin-1].At().After(from) {
			begin--
		}
		t := total(samples[begin:end])
		out = append(out, figures{
			From: from.Format("15:04"), Requests: count(t.requests), Client: count(t.client), Server: count(t.server),
			Median: span(t.median), Slow: span(t.slow), Memory: size(float64(t.memory)),
		})
		end = begin
	}
	return out
}
