package main

import (
	"os"
	"path/filepath"
	"testing"
)

// write makes a file for a test.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStepKey changes one thing at a time: each must change the key.
func TestStepKey(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.c"), "int a;")
	base := step{name: "link", recipe: []string{"cc"}, needs: []string{"cross"}, files: []string{filepath.Join(dir, "*.c")}}
	needs := map[string]digest{"cross": "1"}
	key := func(s step, needs map[string]digest) digest {
		k, err := stepKey(s, needs)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := key(base, needs)
	if again := key(base, needs); again != first {
		t.Errorf("the same step has the keys %s and %s", first, again)
	}
	name, recipe := base, base
	name.name, recipe.recipe = "meter", []string{"c", "c"}
	seen := map[digest]string{first: "nothing"}
	check := func(what string, k digest) {
		if other, ok := seen[k]; ok {
			t.Errorf("a change of %s and a change of %s give the same key", what, other)
		}
		seen[k] = what
	}
	check("the name", key(name, needs))
	check("the recipe", key(recipe, needs))
	check("what it needs", key(base, map[string]digest{"cross": "2"}))
	write(t, filepath.Join(dir, "a.c"), "int b;")
	check("a file", key(base, needs))
	write(t, filepath.Join(dir, "b.c"), "")
	check("the list of files", key(base, needs))
}

// TestTreeDigest looks at names and bytes, not at times.
func TestTreeDigest(t *testing.T) {
	tree := func(files map[string]string) digest {
		dir := t.TempDir()
		for n, text := range files {
			write(t, filepath.Join(dir, n), text)
		}
		d, err := treeDigest(dir)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	one := tree(map[string]string{"a": "1", "b/c": "2"})
	if two := tree(map[string]string{"a": "1", "b/c": "2"}); two != one {
		t.Error("equal trees differ")
	}
	if two := tree(map[string]string{"a": "1", "b/d": "2"}); two == one {
		t.Error("another name gives the same digest")
	}
	if two := tree(map[string]string{"a": "1", "b/c": "3"}); two == one {
		t.Error("other bytes give the same digest")
	}
}
