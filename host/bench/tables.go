package main

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// short shows a value with three digits that count.
func short(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case a == 0:
		return "0"
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 0.1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.4f", v)
	}
}

// listTable has a row for each figure.
func listTable(w io.Writer, s *section) {
	fmt.Fprintln(w, "| what | | median | lowest–highest | unit | rounds |")
	fmt.Fprintln(w, "|---|---|---:|---:|---|---:|")
	for _, f := range s.Figures {
		if len(f.Values) == 0 {
			continue
		}
		span := ""
		if len(f.Values) > 1 {
			span = short(slices.Min(f.Values)) + "–" + short(slices.Max(f.Values))
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %d |\n", f.What, f.Server, short(median(f.Values)), span, f.Unit, len(f.Values))
	}
	fmt.Fprintln(w)
}

// The distinct words of a section's figures come in the order of the figures:
// a part's first round begins with its first server.

func connectionsOf(s *section) []int {
	return distinct(s, func(f figure) int { return f.Connections })
}

func serversOf(s *section) []string {
	return distinct(s, func(f figure) string { return f.Server })
}

func whatsOf(s *section) []string {
	return distinct(s, func(f figure) string { return f.What })
}

func distinct[T comparable](s *section, of func(figure) T) []T {
	var out []T
	for _, f := range s.Figures {
		if v := of(f); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// bounds are the lowest and the highest value of a figure.
func (s *section) bounds(what, server string, connections int) (low, high float64) {
	for _, f := range s.Figures {
		if f.What == what && f.Server == server && f.Connections == connections && len(f.Values) > 0 {
			return slices.Min(f.Values), slices.Max(f.Values)
		}
	}
	return math.NaN(), math.NaN()
}

// positive appends a ratio if it is one.
func positive(to []float64, v float64) []float64 {
	if v > 0 && !math.IsInf(v, 0) {
		return append(to, v)
	}
	return to
}

// geometric is the geometric mean, NaN of nothing.
func geometric(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(values)))
}
