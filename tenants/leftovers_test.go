package tenants

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLeftoversGo: folders of killed preparations are removed, those of others
// that still run and those that were just made are not.
func TestLeftoversGo(t *testing.T) {
	fakes(t)
	app := Tenant{Name: "bare", Dir: t.TempDir()}
	state := t.TempDir()
	home := filepath.Join(state, "releases", "bare")
	old := time.Now().Add(-2 * leftoverAge)
	for _, name := range []string{".making-killed", ".making-held", ".old-killed", "other"} {
		write(t, filepath.Join(home, name, "sub", "file"), "")
		if err := os.Chtimes(filepath.Join(home, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(home, ".making-young", "file"), "")
	held, err := hold(filepath.Join(home, ".making-held"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Prepare(t.Context(), app, PrepareOptions{State: state})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{".making-held", ".making-young", r.Digest, "other"}
	if diff := cmp.Diff(want, foldersIn(t, home)); diff != "" {
		t.Errorf("while one is held (-want +got):\n%s", diff)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare(t.Context(), app, PrepareOptions{State: state, Refresh: true}); err != nil {
		t.Fatal(err)
	}
	want = []string{".making-young", r.Digest, "other"}
	if diff := cmp.Diff(want, foldersIn(t, home)); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
}

func foldersIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestSiteIsBounded(t *testing.T) {
	_, site := fakes(t, "uv")
	installed(t, site, "big", "1.0", "", "big.py")
	if err := os.Truncate(filepath.Join(site, "big.py"), maxSite); err != nil {
		t.Fatal(err)
	}
	s := siteOf(t, site)
	if err := s.bound(); err == nil || err.Error() != "the dependencies have more than 4294967296 bytes or 200000 files" {
		t.Errorf("%v", err)
	}
}

// TestLinksGoBeforeAnythingIsRead: what an installer might have unpacked as a
// link is never followed.
func TestLinksGoBeforeAnythingIsRead(t *testing.T) {
	secret := t.TempDir()
	installed(t, secret, "secret", "1.0", "")
	dir := t.TempDir()
	for link, target := range map[string]string{"evil-1.0.dist-info": filepath.Join(secret, "secret-1.0.dist-info"), "bin": secret, "link.py": "/etc/passwd"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	s := siteOf(t, dir)
	if err := s.clean("shop"); err != nil {
		t.Fatal(err)
	}
	if len(s.dists) != 0 || len(tree(t, dir)) != 0 || len(tree(t, secret)) != 2 {
		t.Errorf("%v; in the site %v; outside %v", s.dists, tree(t, dir), tree(t, secret))
	}
}

func siteOf(t *testing.T, dir string) *site {
	t.Helper()
	return &site{dir: dir}
}

func TestFingerprintIsBounded(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "huge"), "")
	if err := os.Truncate(filepath.Join(dir, "huge"), maxApplication+1); err != nil {
		t.Fatal(err)
	}
	_, err := Fingerprint(dir)
	if want := dir + " has more than 8589934592 bytes or 500000 files: what is no part of the application belongs elsewhere"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := Fingerprint(dir, "huge"); err != nil {
		t.Error(err)
	}
}
