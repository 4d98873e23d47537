package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A trial is a small plan with a cache of its own, and what ran of it.
type trial struct {
	dir  string
	mu   sync.Mutex
	runs []string
}

// makes is a step that writes a text.
func (tr *trial) makes(name, text string, needs ...string) step {
	return step{name: name, needs: needs, recipe: []string{text}, hint: "Mend it.", run: func(j *job) error {
		tr.mu.Lock()
		tr.runs = append(tr.runs, name)
		tr.mu.Unlock()
		return os.WriteFile(filepath.Join(j.out, "made"), []byte(text), 0o644)
	}}
}

// build runs a plan and returns the names of the steps that ran, sorted.
func (tr *trial) build(t *testing.T, from string, steps ...step) ([]string, error) {
	t.Helper()
	c, err := openCache(tr.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	b := &builder{steps: steps, cache: c, jobs: 2, from: from, progress: newProgress(null, false, len(steps)),
		keys: map[string]digest{}, digests: map[string]digest{}, made: map[string]bool{}}
	defer b.progress.close()
	tr.runs = nil
	err = b.build(context.Background())
	slices.Sort(tr.runs)
	return tr.runs, err
}

// TestOnlyWhatChanged runs a step again exactly when it must.
func TestOnlyWhatChanged(t *testing.T) {
	tr := &trial{dir: t.TempDir()}
	a, b, c := tr.makes("a", "1"), tr.makes("b", "1", "a"), tr.makes("c", "1")
	want := func(what, want string, from string, steps ...step) {
		t.Helper()
		got, err := tr.build(t, from, steps...)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: ran %q, %v; want %q", what, got, err, want)
		}
	}
	want("first build", "a b c", "", a, b, c)
	want("nothing changed", "", "", a, b, c)
	want("c changed", "c", "", a, b, tr.makes("c", "2"))
	want("a changed", "a b", "", tr.makes("a", "2"), b, c)
	want("back again", "", "", a, b, c)
	want("--from a", "a b", "a", a, b, c)
}

// TestSameContent goes no further when a step's result did not change.
func TestSameContent(t *testing.T) {
	tr := &trial{dir: t.TempDir()}
	a := tr.makes("a", "1")
	a.content = true
	b := tr.makes("b", "1", "a")
	if _, err := tr.build(t, "", a, b); err != nil {
		t.Fatal(err)
	}
	a.recipe = []string{"another way to the same"}
	if got, err := tr.build(t, "", a, b); err != nil || !slices.Equal(got, []string{"a"}) {
		t.Errorf("ran %q, %v; want only a", got, err)
	}
}

// TestFailure leaves no result and tells all that helps.
func TestFailure(t *testing.T) {
	tr := &trial{dir: t.TempDir()}
	bad := step{name: "bad", hint: "Mend it.", run: func(j *job) error {
		for i := range 40 {
			fmt.Fprintf(j.log, "line %d\n", i)
		}
		return errors.New("it broke")
	}}
	_, err := tr.build(t, "", bad, tr.makes("next", "1", "bad"))
	var f *failure
	if !errors.As(err, &f) {
		t.Fatalf("build: %v, want a failure", err)
	}
	var log strings.Builder
	for i := 10; i < 40; i++ {
		fmt.Fprintf(&log, "    line %d\n", i)
	}
	want := "step bad failed: it broke\nthe end of its log:\n" + log.String() +
		"the whole log: " + filepath.Join(tr.dir, "logs", "bad.log") + "\nMend it."
	if f.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", f.Error(), want)
	}
	if left, _ := filepath.Glob(filepath.Join(tr.dir, "steps", "*")); len(left) != 0 || len(tr.runs) != 0 {
		t.Errorf("results %v, ran %v; want none", left, tr.runs)
	}
}

// TestScript gives a recipe its folders.
func TestScript(t *testing.T) {
	tr := &trial{dir: t.TempDir()}
	s := step{name: "s", needs: []string{"a"}, run: func(j *job) error {
		return j.script("cat \"$NEED_a/made\" >\"$OUT/copy\"\n[ \"$PWD\" = \"$WORK\" ]\n")
	}}
	if _, err := tr.build(t, "", tr.makes("a", "text"), s); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(tr.dir, "steps", "s-*", "out", "copy"))
	if len(found) != 1 {
		t.Fatalf("found %v", found)
	}
	if b, err := os.ReadFile(found[0]); err != nil || string(b) != "text" {
		t.Errorf("copy holds %q, %v", b, err)
	}
}
