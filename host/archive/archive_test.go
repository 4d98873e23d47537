package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, name := range files {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte("of "+name), 0o640))
	}
}

func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, name)
		if string(text) != "of "+rel {
			t.Errorf("%s holds %q", rel, text)
		}
		out = append(out, rel)
		return err
	}))
	return out
}

func TestRoundTrip(t *testing.T) {
	state := t.TempDir()
	put(t, state, "state.db", "secret.key", "routes.json", "deployed/shop/aa/app/wsgi.py", "deployed/shop/aa/app/.env", "deployed/shop/.making-1/x",
		"data/shop/db.sqlite3", "data/shop/.hidden", "data/.shop.use", "snapshots/shop", "releases/shop/bb/site/x.py", "audit.log", ".serve.lock")
	all := []string{"data/shop/.hidden", "data/shop/db.sqlite3", "deployed/shop/aa/app/.env", "deployed/shop/aa/app/wsgi.py", "routes.json", "secret.key", "state.db"}
	for _, c := range []struct{ data, key bool }{{true, true}, {true, false}, {false, false}} {
		var b bytes.Buffer
		must(t, Write(t.Context(), &b, Options{State: state, Data: c.data, Key: c.key, Database: func(w io.Writer) error {
			_, err := io.WriteString(w, "of state.db")
			return err
		}}))
		into := filepath.Join(t.TempDir(), "new")
		key, err := Read(bytes.NewReader(b.Bytes()), into)
		must(t, err)
		want := slices.DeleteFunc(slices.Clone(all), func(n string) bool {
			return !c.key && n == Key || !c.data && strings.HasPrefix(n, "data/")
		})
		if got := tree(t, into); !slices.Equal(got, want) || key != c.key {
			t.Errorf("%+v: %v, key %v", c, got, key)
		}
		if info, err := os.Stat(filepath.Join(into, Database)); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(info.Mode(), err)
		}
		if _, err := Read(bytes.NewReader(b.Bytes()), into); err == nil || !strings.Contains(err.Error(), "is not empty") {
			t.Errorf("over another state: %v", err)
		}
	}
}

// TestHostileArchives: nothing is left of what is refused.
func TestHostileArchives(t *testing.T) {
	pack := func(headers ...*tar.Header) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		for _, h := range append([]*tar.Header{{Name: Database, Typeflag: tar.TypeReg}}, headers...) {
			must(t, w.WriteHeader(h))
		}
		must(t, w.Close())
		must(t, z.Close())
		return b.Bytes()
	}
	whole := pack(&tar.Header{Name: "data/shop/x", Typeflag: tar.TypeReg})
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"slip":      {pack(&tar.Header{Name: "data/../../x", Typeflag: tar.TypeReg}), "is none of a backup"},
		"absolute":  {pack(&tar.Header{Name: "/etc/x", Typeflag: tar.TypeReg}), "is none of a backup"},
		"elsewhere": {pack(&tar.Header{Name: "snapshots/shop", Typeflag: tar.TypeReg}), "is none of a backup"},
		"link":      {pack(&tar.Header{Name: "data/x", Typeflag: tar.TypeSymlink, Linkname: "/etc"}), "is neither file nor folder"},
		"hard link": {pack(&tar.Header{Name: "data/x", Typeflag: tar.TypeLink, Linkname: "state.db"}), "is neither file nor folder"},
		"device":    {pack(&tar.Header{Name: "data/x", Typeflag: tar.TypeChar}), "is neither file nor folder"},
		"twice":     {pack(&tar.Header{Name: Database, Typeflag: tar.TypeReg}), "exists"},
		"text":      {[]byte("hello"), "it is no backup"},
		"cut":       {whole[:len(whole)/2], "damaged"},
	} {
		into := filepath.Join(t.TempDir(), "new")
		if _, err := Read(bytes.NewReader(c.archive), into); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if left, err := os.ReadDir(into); err == nil && len(left) > 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}
