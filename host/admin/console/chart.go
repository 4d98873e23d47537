package console

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/wasgi/wasgi/host/admin/console/history"
)

// The plane that charts are drawn on. It is stretched to the width of its place,
// so that no text is in it: labels stand around it.
const (
	planeWidth  = 600.0
	planeHeight = 100.0
)

// shape is a path of SVG.
type shape struct {
	Class string
	Path  string
}

// chart is a picture of some hours.
type chart struct {
	ID, Title string
	Now       string // the last value
	About     string // the whole in words
	Keys      []key
	Top, Half string // labels of the scale; it begins at 0
	Times     []string
	Shapes    []shape
	Empty     bool
	bytes     bool // units grow by 1024
}

// key says what a shape is.
type key struct{ Class, Text string }

// row is one value a sample, negative for none.
type row struct {
	class string
	of    func(history.Sample) float64
	bars  bool
	under bool // the area below the line is shaded
}

// plot is what charts of one time have in common.
type plot struct {
	samples  []history.Sample
	from, to time.Time
}

func (p plot) x(t time.Time) float64 {
	return planeWidth * float64(t.Sub(p.from)) / float64(p.to.Sub(p.from))
}

// minute is the width of one.
func (p plot) minute() float64 { return planeWidth * float64(time.Minute) / float64(p.to.Sub(p.from)) }

// draw fills a chart. least is the smallest top of the scale.
func (p plot) draw(c chart, least float64, unit func(float64) string, rows ...row) chart {
	top := least
	known := 0
	for _, r := range rows {
		for _, s := range p.samples {
			v := r.of(s)
			top = max(top, v)
			if v >= 0 {
				known++
			}
		}
	}
	top = c.ceiling(top)
	c.Empty = known == 0
	c.Top, c.Half = unit(top), unit(top/2)
	for i := range 3 {
		c.Times = append(c.Times, p.from.Add(time.Duration(i)*p.to.Sub(p.from)/2).UTC().Format("15:04"))
	}
	for _, r := range rows {
		c.Shapes = append(c.Shapes, p.shapes(r, top)...)
	}
	return c
}

func (c chart) ceiling(n float64) float64 {
	unit := 1.0
	for c.bytes && n/unit > 800 {
		unit *= 1024
	}
	return ceiling(n/unit) * unit
}

// ceiling is the next number of which a half is easy to read: 1, 2, 4, 5, 8 or 10
// times a power of ten.
func ceiling(n float64) float64 {
	if n <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(n)))
	for _, step := range []float64{1, 2, 4, 5, 8} {
		if n <= step*power*1.0000001 {
			return step * power
		}
	}
	return 10 * power
}

func (p plot) shapes(r row, top float64) []shape {
	if r.bars {
		return []shape{{r.class, p.bars(r, top)}}
	}
	line, area := p.lines(r, top)
	if r.under {
		return []shape{{r.class + " area", area}, {r.class + " line", line}}
	}
	return []shape{{r.class + " line", line}}
}

func y(v, top float64) float64 { return planeHeight * (1 - v/top) }

// bars stand for a minute each.
func (p plot) bars(r row, top float64) string {
	width := max(p.minute()*0.8, 0.8)
	var b strings.Builder
	for _, s := range p.samples {
		if v := r.of(s); v > 0 {
			fmt.Fprintf(&b, "M%.1f 100V%.1fh%.1fV100z", p.x(s.At())-width, y(v, top), width)
		}
	}
	return b.String()
}

// lines break where a sample is missing.
func (p plot) lines(r row, top float64) (line, area string) {
	var l, a strings.Builder
	var last history.Sample
	open := false
	end := func() {
		if open {
			fmt.Fprintf(&a, "V100z")
		}
		open = false
	}
	for _, s := range p.samples {
		v := r.of(s)
		if v < 0 || open && s.At().Sub(last.At()) > 2*time.Minute {
			end()
		}
		if v < 0 {
			continue
		}
		at, up := p.x(s.At()), y(v, top)
		if open {
			fmt.Fprintf(&l, "L%.1f %.1f", at, up)
			fmt.Fprintf(&a, "L%.1f %.1f", at, up)
		} else { // the first one stands for its whole minute
			begin := max(at-p.minute(), 0)
			fmt.Fprintf(&l, "M%.1f %.1fH%.1f", begin, up, at)
			fmt.Fprintf(&a, "M%.1f 100V%.1fH%.1f", begin, up, at)
		}
		open, last = true, s
	}
	end()
	return l.String(), a.String()
}
