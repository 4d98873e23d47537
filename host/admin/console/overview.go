package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/console/history"
)

// perPage is how many tenants one page lists.
const perPage = 100

// overviewPage lists tenants.
type overviewPage struct {
	Past     seen // of the whole host
	Whole    bool // the caller sees the whole host
	Sums     []sumOf
	Tenants  []tenantLine
	Found    int // tenants that the filter lets through
	All      int
	Query    string
	Columns  []column
	Sort     string
	Earlier  string // address of the page before, "" for none
	Later    string
	MayAdd   bool
	OnlyName string // the only tenant that the caller may deploy
	Revision uint64
	Problem  string
	Done     string
}

// sumOf is how many tenants are in a state.
type sumOf struct {
	State stateWord
	Count int
}

// column is one that the list can be sorted by.
type column struct {
	Name, Text, Address string
	On, Number          bool
}

// tenantLine is a tenant in the list.
type tenantLine struct {
	api.Status
	Word     stateWord
	Spark    []shape
	Minute   uint32 // requests of the last one
	HourBad  uint64 // errors of the server in the last hour
	Slow     string
	slow     float64
	Instants int
}

// stateWord is a state as pages show it: never by colour alone.
type stateWord struct{ Class, Glyph, Text string }

func wordOf(s api.Status) stateWord {
	switch s.State {
	case "serving":
		if s.Error != "" {
			return stateWord{"fair", "◆", "serving the release before"}
		}
		return stateWord{"good", "●", "serving"}
	case "preparing", "booting", "reloading":
		return stateWord{"busy", "◐", s.State}
	case "failed":
		return stateWord{"bad", "▲", "failed"}
	case "":
		return stateWord{"off", "○", "nothing deployed"}
	}
	return stateWord{"off", "○", s.State}
}

func (c *Console) overview(v *visit) error {
	return c.showOverview(v, http.StatusOK, "")
}

func (c *Console) showOverview(v *visit, status int, trouble string) error {
	all := c.lines(v)
	p := overviewPage{
		All: len(all), Sums: sums(all), Query: v.URL.Query().Get("q"), Sort: v.URL.Query().Get("sort"),
		Whole: v.caller.SeesHost(), MayAdd: !v.caller.ReadOnly, OnlyName: v.caller.Tenant, Problem: trouble,
		Done: done(v.URL.Query().Get("done")),
	}
	if p.Whole {
		p.Past = c.past(history.All, v.URL.Query().Get("past"))
	}
	found := slices.DeleteFunc(all, func(l tenantLine) bool {
		return !strings.Contains(l.Name, strings.ToLower(p.Query)) && !strings.HasPrefix(l.Word.Text, p.Query)
	})
	slices.SortStableFunc(found, order(p.Sort))
	p.Found, p.Columns = len(found), columns(v.URL)
	at, _ := strconv.Atoi(v.URL.Query().Get("from"))
	at = min(max(at, 0), len(found))
	end := min(at+perPage, len(found))
	p.Tenants = found[at:end]
	if at > 0 {
		p.Earlier = with(v.URL, "from", strconv.Itoa(max(at-perPage, 0)))
	}
	if end < len(found) {
		p.Later = with(v.URL, "from", strconv.Itoa(end))
	}
	v.render(status, "overview", "Tenants", p)
	return nil
}

// lines are all tenants that the caller sees, by name: those that have a place on
// the host, and those that only something is kept of.
func (c *Console) lines(v *visit) []tenantLine {
	all := c.Host.Statuses()
	known := map[string]bool{}
	for _, s := range all {
		known[s.Name] = true
	}
	for _, t := range c.Host.Tenants() {
		if !known[t.Name] {
			all = append(all, api.Status{Name: t.Name, Source: t.Source, Release: t.Current})
		}
	}
	var out []tenantLine
	for _, s := range all {
		if v.caller.Sees(s.Name) {
			out = append(out, c.line(s))
		}
	}
	slices.SortFunc(out, func(a, b tenantLine) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (c *Console) line(s api.Status) tenantLine {
	l := tenantLine{Status: s, Word: wordOf(s), slow: -1, Instants: s.Idle + s.Busy + s.Creating}
	now := c.Now()
	p := plot{samples: c.History.Since(s.Name, time.Hour), from: now.Add(-time.Hour), to: now}
	if len(p.samples) > 0 {
		last := p.samples[len(p.samples)-1]
		l.Minute, l.slow = last.Requests, float64(last.Slow)
		t := total(p.samples)
		l.HourBad = t.server
		l.Spark = p.shapes(row{class: "main", under: true, of: func(s history.Sample) float64 { return float64(s.Requests) }}, max(float64(t.busiest), 1)*1.05)
	}
	l.Slow = span(l.slow)
	return l
}

func sums(all []tenantLine) []sumOf {
	var out []sumOf
	for _, l := range all {
		i := slices.IndexFunc(out, func(s sumOf) bool { return s.State == l.Word })
		if i < 0 {
			out = append(out, sumOf{State: l.Word})
			i = len(out) - 1
		}
		out[i].Count++
	}
	slices.SortFunc(out, func(a, b sumOf) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.State.Text, b.State.Text)) })
	return out
}

// order puts what an operator looks for first.
func order(by string) func(a, b tenantLine) int {
	switch by {
	case "state":
		rank := map[string]int{"bad": 0, "fair": 1, "busy": 2, "good": 3, "off": 4}
		return func(a, b tenantLine) int { return rank[a.Word.Class] - rank[b.Word.Class] }
	case "requests":
		return func(a, b tenantLine) int { return cmp.Compare(b.Minute, a.Minute) }
	case "errors":
		return func(a, b tenantLine) int { return cmp.Compare(b.HourBad, a.HourBad) }
	case "latency":
		return func(a, b tenantLine) int { return cmp.Compare(b.slow, a.slow) }
	case "memory":
		return func(a, b tenantLine) int { return cmp.Compare(b.Memory, a.Memory) }
	}
	return func(tenantLine, tenantLine) int { return 0 } // they are by name
}

func columns(u *url.URL) []column {
	by := u.Query().Get("sort")
	out := []column{
		{Name: "", Text: "Tenant"}, {Name: "state", Text: "State"}, {Name: "requests", Text: "Requests a minute", Number: true},
		{Name: "errors", Text: "5xx in an hour", Number: true}, {Name: "latency", Text: "Latency, 95 %", Number: true}, {Name: "memory", Text: "Memory", Number: true},
	}
	for i := range out {
		out[i].On = out[i].Name == by
		out[i].Address = with(u, "sort", out[i].Name)
	}
	return out
}

// with is an address with one parameter changed; a list begins anew unless that is
// where.
func with(u *url.URL, name, value string) string {
	q := u.Query()
	q.Del("done")
	if name != "from" {
		q.Del("from")
	}
	if q.Set(name, value); value == "" {
		q.Del(name)
	}
	return Base + "?" + q.Encode()
}
