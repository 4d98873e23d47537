package release

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/bundle"
	"github.com/wasgi/wasgi/tenants"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// packed is an application of one file, and its digest.
func packed(t *testing.T, text string) ([]byte, string) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "wsgi.py"), []byte(text), 0o644))
	var b bytes.Buffer
	must(t, bundle.Pack(&b, dir))
	digest, err := tenants.Fingerprint(dir)
	must(t, err)
	return b.Bytes(), digest.String()
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func repository(t *testing.T) *Repository {
	return &Repository{Dir: t.TempDir(), Limits: bundle.Limits{Archive: 1 << 20, Bytes: 1 << 20, Files: 100}}
}

func (r *Repository) add(t *testing.T, text string) (Stored, error) {
	t.Helper()
	b, _ := packed(t, text)
	u, err := r.Receive("shop", bytes.NewReader(b), sumOf(b))
	must(t, err)
	stored, err := r.Install(t.Context(), "shop", u)
	if err == nil {
		r.Keep("shop", stored)
		err = r.Settle("shop", stored.Digest)
	}
	return stored, err
}

// names are those in the tenant's folder.
func (r *Repository) names(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(r.Dir, "shop"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestInstall(t *testing.T) {
	r := repository(t)
	r.Check = func(tenant, dir string) error {
		_, err := tenants.Load(dir, tenant)
		return err
	}
	r.Compile = func(_ context.Context, _, dir string) error {
		must(t, os.Mkdir(filepath.Join(dir, "__pycache__"), 0o755))
		return os.WriteFile(filepath.Join(dir, "__pycache__", "wsgi.pyc"), nil, 0o644)
	}
	text := "def application(environ, start_response): pass\n"
	b, digest := packed(t, text)
	s, err := r.add(t, text)
	must(t, err)
	want := Stored{Digest: digest, Bundle: sumOf(b), Created: s.Created, Files: 1, Bytes: int64(len(text)), Dir: filepath.Join(r.Dir, "shop", digest, "app")}
	if s != want || time.Since(s.Created) > time.Minute {
		t.Errorf("%+v, want %+v", s, want)
	}
	if found, err := r.Find("shop", digest); err != nil || found != s {
		t.Errorf("%+v, %v", found, err)
	}
	if again, err := r.add(t, text); err != nil || again != s {
		t.Errorf("again: %+v, %v", again, err)
	}
	if got := r.names(t); got != digest {
		t.Errorf("left: %s", got)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "__pycache__", "wsgi.pyc")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "../" + digest, strings.ToUpper(digest), digest[1:]} {
		if _, err := r.Find("shop", name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestDamagedReleaseIsReplaced by the next upload of the same content.
func TestDamagedReleaseIsReplaced(t *testing.T) {
	r := repository(t)
	s, err := r.add(t, "x = 1\n")
	must(t, err)
	for _, damage := range []func() error{
		func() error { return os.WriteFile(filepath.Join(s.Dir, "wsgi.py"), []byte("x = 2\n"), 0o644) },
		func() error { return os.WriteFile(filepath.Join(s.Dir, "more.py"), nil, 0o644) },
		func() error { return os.WriteFile(filepath.Join(s.Dir, "..", storedFile), []byte("{"), 0o644) },
		func() error { return os.RemoveAll(s.Dir) },
	} {
		must(t, damage())
		again, err := r.add(t, "x = 1\n")
		must(t, err)
		if !intact(again) || again.Digest != s.Digest || r.names(t) != s.Digest {
			t.Errorf("%+v, %s", again, r.names(t))
		}
	}
}

func TestNothingIsLeftOfWhatFails(t *testing.T) {
	b, _ := packed(t, "x = 1\n")
	for name, c := range map[string]struct {
		change func(*Repository)
		bytes  []byte
		digest string
		want   string
	}{
		"digest": {nil, b, sumOf([]byte("other")), "its SHA-256 is another one"},
		"cut":    {nil, b[:len(b)-1], sumOf(b), "its SHA-256 is another one"},
		"large":  {func(r *Repository) { r.Limits.Archive = int64(len(b)) - 1 }, b, sumOf(b), "the bundle has more than"},
		"bundle": {nil, []byte("x"), sumOf([]byte("x")), "the bundle is neither zip nor tar.gz nor tar"},
		"check": {func(r *Repository) {
			r.Check = func(_, dir string) error {
				return errors.New(filepath.Join(dir, "wasgi.toml") + ":3: bad; no entry in " + dir)
			}
		}, b, sumOf(b), "wasgi.toml:3: bad; no entry in the bundle"},
		"compile": {func(r *Repository) {
			r.Compile = func(context.Context, string, string) error { return errors.New("trap") }
		}, b, sumOf(b), "trap"},
	} {
		r := repository(t)
		if c.change != nil {
			c.change(r)
		}
		u, err := r.Receive("shop", bytes.NewReader(c.bytes), c.digest)
		if err == nil {
			_, err = r.Install(t.Context(), "shop", u)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), r.Dir) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if left := r.names(t); left != "" {
			t.Errorf("%s: left %s", name, left)
		}
	}
}

func TestCollect(t *testing.T) {
	r := repository(t)
	first, err := r.add(t, "x = 1\n")
	must(t, err)
	second, err := r.add(t, "x = 2\n")
	must(t, err)
	for _, name := range []string{making + "1", leaving + "2", uploadPrefix + "3"} {
		must(t, os.MkdirAll(filepath.Join(r.Dir, "shop", name, "app"), 0o755))
	}
	must(t, r.Collect("shop", map[string]bool{second.Digest: true}))
	if got := r.names(t); got != second.Digest || first.Digest == second.Digest {
		t.Errorf("left: %s", got)
	}
	if all, err := r.Tenants(); err != nil || len(all) != 1 || all[0] != "shop" {
		t.Error(all, err)
	}
	must(t, r.Collect("shop", nil))
	must(t, r.Collect("shop", nil))
	if all, err := r.Tenants(); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
}

// TestFullDisk: at whatever size the disk is full, the error says so and the
// releases that are there stay whole.
func TestFullDisk(t *testing.T) {
	r := repository(t)
	if err := syscall.Mount("tmpfs", r.Dir, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(r.Dir, syscall.MNT_DETACH)) })
	first, err := r.add(t, "x = 1\n")
	must(t, err)
	for _, size := range []int{70_000, 40_000} { // the bundle is small, what is in it is not
		_, err = r.add(t, strings.Repeat("#", size))
		if size == 70_000 && !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d: %v", size, err)
		}
	}
	if !intact(first) {
		t.Error("the release that was there is damaged")
	}
	for _, name := range strings.Fields(r.names(t)) {
		if s, err := r.Find("shop", name); err != nil || !intact(s) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// TestUnsettledReleaseIsNone: what the machine's end has kept from being written as a
// whole is no release, and the next upload replaces it.
func TestUnsettledReleaseIsNone(t *testing.T) {
	r := repository(t)
	s, err := r.add(t, "x = 1\n")
	must(t, err)
	must(t, os.Remove(filepath.Join(s.Dir, "..", storedFile)))
	must(t, os.WriteFile(filepath.Join(s.Dir, "torn.pyc"), nil, 0o644))
	if err := r.Settle("shop", s.Digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it can serve: %v", err)
	}
	_, err = r.add(t, "x = 1\n")
	must(t, err)
	if _, err := os.Stat(filepath.Join(s.Dir, "torn.pyc")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the torn file is still there: %v", err)
	}
}

// TestSettleTellsOfFailure, to whoever asks, until the release is made again.
func TestSettleTellsOfFailure(t *testing.T) {
	r := repository(t)
	s, err := r.add(t, "x = 1\n")
	must(t, err)
	broken := errors.New("the disk is broken")
	r.settling.begin(filepath.Dir(s.Dir), func() error { return broken })
	for range 2 {
		if err := r.Settle("shop", s.Digest); !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
	}
	_, err = r.add(t, "x = 1\n")
	must(t, err)
}

func TestNamesOfTenants(t *testing.T) {
	r := repository(t)
	for _, name := range []string{"", "..", "a/b", ".x", "A"} {
		if _, err := r.Receive(name, strings.NewReader(""), ""); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}

// TestUsedReleasesStay: what somebody uses is collected later.
func TestUsedReleasesStay(t *testing.T) {
	r := repository(t)
	first, err := r.add(t, "first")
	must(t, err)
	second, err := r.add(t, "second")
	must(t, err)
	use, err := Hold(filepath.Dir(first.Dir))
	must(t, err)
	keep := map[string]bool{second.Digest: true}
	must(t, r.Collect("shop", keep))
	if _, err := r.Find("shop", first.Digest); err != nil {
		t.Errorf("the release in use: %v", err)
	}
	must(t, use.Close())
	must(t, r.Collect("shop", keep))
	if _, err := r.Find("shop", first.Digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("afterwards: %v", err)
	}
	if _, err := Hold(filepath.Dir(second.Dir), first.Dir); !errors.Is(err, fs.ErrNotExist) || InUse(filepath.Dir(second.Dir)) {
		t.Errorf("what is gone is held, or one of two: %v", err)
	}
}
