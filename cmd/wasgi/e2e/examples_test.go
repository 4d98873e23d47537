package e2e

import (
	"path/filepath"
	"testing"
)

// Files of the scenarios.
const (
	hello    = "hello\n"
	helloSum = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

	zero2MSum = "13aea96040f2133033d103008d5d96cfe98b3361f7202d77bea97b2424a7a6cd"
	zero3MSum = "35bce4eae54ec8e6cc2868baa8d157914d6ae2858811b4cc0c078c94460fa26f"
	zero5MSum = "b39781589c4403fb82174c9647a010464cff38bad976547d339899b00053a545"
)

// zeros is a file of zero bytes.
func zeros(n int) string { return string(make([]byte, n)) }

// inBothIsolations serves an example twice from one root and runs the scenario
// on each: the unmodified folder at /NAME, whose interpreters are used again,
// and a copy at / with a fresh interpreter for every request. prepare, when not
// nil, is called with each folder before it is served.
func inBothIsolations(t *testing.T, name string, prepare func(w world, folder, state string), scenario func(*testing.T, site)) {
	t.Helper()
	inBothIsolationsWith(t, name, nil, prepare, scenario)
}

// inBothIsolationsWith does so with flags for the server.
func inBothIsolationsWith(t *testing.T, name string, flags []string, prepare func(w world, folder, state string), scenario func(*testing.T, site)) {
	t.Helper()
	t.Parallel()
	w, root, state := newWorld(t), t.TempDir(), t.TempDir()
	reuse, fresh := filepath.Join(root, name), filepath.Join(root, name+"-fresh")
	copyTree(t, w.example(name), reuse)
	copyTree(t, w.example(name), fresh)
	prepend(t, fresh, "isolation = \"fresh\"\npaths = [\"/\"]\n")
	if prepare != nil {
		prepare(w, reuse, state)
		prepare(w, fresh, state)
	}
	s := w.serve(t, launch{root: root, state: state, flags: flags}, name, name+"-fresh")
	t.Run("reuse", func(t *testing.T) { scenario(t, mounted(t, s.site(t, name), "/"+name)) })
	t.Run("fresh", func(t *testing.T) { scenario(t, mounted(t, s.site(t, name+"-fresh"), "")) })
}

// mounted checks where a tenant is served.
func mounted(t *testing.T, s site, prefix string) site {
	t.Helper()
	if s.prefix != prefix {
		t.Fatalf("tenant %s is served at %q, want %q", s.tenant, s.prefix, prefix)
	}
	return s
}
