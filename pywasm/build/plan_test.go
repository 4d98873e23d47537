package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPlanOrder makes sure that each step stands behind those it needs, and
// has what a failure must say.
func TestPlanOrder(t *testing.T) {
	seen := []string{}
	for _, s := range plan("guest", false, false) {
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
		for _, s := range plan("guest", false, false) {
			if slices.ContainsFunc(s.needs, func(n string) bool { return slices.Contains(out, n) }) {
				out = append(out, s.name)
			}
		}
		return out
	}
	if got := reached("link"); !slices.Equal(got, []string{"link", "optimise", "meter", "hints", "manifest"}) {
		t.Errorf("a change of C reaches %v", got)
	}
	if got := reached("rootfs"); !slices.Equal(got, []string{"rootfs", "hints", "manifest"}) {
		t.Errorf("a change of Python reaches %v", got)
	}
}

// TestHintFiles makes sure that no file that shapes the hints is forgotten.
func TestHintFiles(t *testing.T) {
	for _, dir := range []string{"branchhint", "hints"} {
		files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%v, %v", files, err)
		}
		for _, f := range files {
			name := filepath.Base(f)
			if shapes := name != "doc.go" && !strings.HasSuffix(name, "_test.go"); slices.Contains(hintFiles(), dir+"/"+name) != shapes {
				t.Errorf("%s/%s: among those that shape the hints: %v, want %v", dir, name, !shapes, shapes)
			}
		}
	}
}

// TestQuickHasNoHints: nothing that shapes hints makes a quick guest again, and the
// two are never taken for each other.
func TestQuickHasNoHints(t *testing.T) {
	quick, full := hinted("guest", true), hinted("guest", false)
	if len(quick.files) > 0 || slices.Equal(quick.recipe, full.recipe) {
		t.Errorf("quick: %v, %v", quick.files, quick.recipe)
	}
	if !canCount("amd64") || !canCount("arm64") || canCount("riscv64") {
		t.Error("wazero compiles for amd64 and arm64")
	}
}

// TestTestModules: a guest for tests differs in how CPython is configured, and
// shares nothing that was made of that.
func TestTestModules(t *testing.T) {
	plain, tests := plan("guest", false, false), plan("guest", false, true)
	for i, s := range tests {
		same := slices.Equal(s.recipe, plain[i].recipe)
		if same != (s.name != "cross") {
			t.Errorf("%s: the same recipe: %v", s.name, same)
		}
	}
}

// TestSuitesMakeNoGuest keeps what only pywasm/conformance needs apart: a change
// of it must not build the guest again.
func TestSuitesMakeNoGuest(t *testing.T) {
	if got := names(suitePlan()); !slices.Equal(got, []string{"tools", suitesStep}) {
		t.Errorf("%q", got)
	}
	guest := strings.Join(pinRecipe(pins()), "\n")
	for _, p := range suitePins() {
		if strings.Contains(guest, p.name) || p.sha256 == "" {
			t.Errorf("%+v is part of the guest's sources, or not pinned", p)
		}
	}
}
