package tenants

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLinksOutside(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"app/own", "app/deep", "shared", "many"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	shared := filepath.Join(base, "shared")
	links := map[string]string{
		"app/near": "own", "app/self": filepath.Join(base, "app", "own"), "app/gone": "nowhere",
		"app/far": "../shared", "app/abs": shared, "app/deep/er": shared, "app2": "app",
	}
	for _, name := range []string{"a\x1b[31m\nb", "b", "c", "d", "e", "f"} {
		links["many/"+name] = shared
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(base, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"app", "app2"} {
		got := LinksOutside(filepath.Join(base, dir), []string{"deep/er", "own", "far", "."})
		want := []string{"deep/er → " + shared, "far → " + shared, "abs → " + shared}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", dir, diff)
		}
	}
	if got := LinksOutside(filepath.Join(base, "many"), nil); len(got) != 5 || got[0] != `"a\x1b[31m\nb" → `+shared {
		t.Errorf("many: %q", got)
	}
	if got := LinksOutside(filepath.Join(base, "none"), []string{"x"}); got != nil {
		t.Errorf("none: %q", got)
	}
}
