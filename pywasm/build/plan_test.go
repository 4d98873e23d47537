package main

import (
	"slices"
	"testing"
)

// TestPlanOrder makes sure that each step stands behind those it needs, and
// has what a failure must say.
func TestPlanOrder(t *testing.T) {
	seen := []string{}
	for _, s := range plan("guest", false) {
		for _, n := range s.needs {
			if !slices.Contains(seen, n) {
				t.Errorf("%s needs %s, which does not stand before it", s.name, n)
			}
		}
		if s.hint == "" || s.run == nil {
			t.Errorf("%s has no hint or nothing to run", s.name)
		}
		seen = append(seen, s.name)
	}
}

// TestGuestReaches keeps what a change of our own files makes again.
func TestGuestReaches(t *testing.T) {
	reached := func(first string) []string {
		out := []string{first}
		for _, s := range plan("guest", false) {
			if slices.ContainsFunc(s.needs, func(n string) bool { return slices.Contains(out, n) }) {
				out = append(out, s.name)
			}
		}
		return out
	}
	if got := reached("link"); !slices.Equal(got, []string{"link", "optimise", "meter", "manifest"}) {
		t.Errorf("a change of C reaches %v", got)
	}
	if got := reached("rootfs"); !slices.Equal(got, []string{"rootfs", "manifest"}) {
		t.Errorf("a change of Python reaches %v", got)
	}
}
