package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasgi/wasgi/tenants"
)

// pinnedWish is one for a folder with a file, and the file's path.
func pinnedWish(t *testing.T) (wish, string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "wsgi.py")
	if err := os.WriteFile(file, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	digest, err := tenants.Fingerprint(dir)
	if err != nil {
		t.Fatal(err)
	}
	return wish{tenant: &tenants.Tenant{Name: "shop", Dir: dir}, pinned: digest.String()}, file
}

// A release whose files are what they must be serves, unless they change until
// its boot is over.
func TestVerifyBesideTheBoot(t *testing.T) {
	w, file := pinnedWish(t)
	v, err := new(fleet).verify(w, func(err error) { t.Errorf("the boot was ended: %v", err) })
	if err != nil {
		t.Fatal(err)
	}
	a := application{tenant: w.tenant, pinned: w.pinned, fingerprint: v.fingerprint, verified: v.wait}
	if err := new(fleet).unchanged(a); err != nil || v.fingerprint != w.pinned {
		t.Fatalf("fingerprint %s, %v, want %s and no error", v.fingerprint, err, w.pinned)
	}
	if err := os.WriteFile(file, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := new(fleet).unchanged(a); !errors.Is(err, errChanged) {
		t.Errorf("after a change: %v, want %v", err, errChanged)
	}
}

// A release whose files are not what they must be ends its boot and never serves.
func TestVerifyEndsTheBootOfADamagedRelease(t *testing.T) {
	w, file := pinnedWish(t)
	if err := os.WriteFile(file, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	v, err := new(fleet).verify(w, cancel)
	if err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	a := application{tenant: w.tenant, pinned: w.pinned, fingerprint: v.fingerprint, verified: v.wait}
	if _, err := v.wait(); !errors.Is(err, errDamaged) || !errors.Is(context.Cause(ctx), errDamaged) {
		t.Errorf("%v, the boot ended with %v, want %v of both", err, context.Cause(ctx), errDamaged)
	}
	if err := new(fleet).unchanged(a); !errors.Is(err, errDamaged) {
		t.Errorf("%v, want %v", err, errDamaged)
	}
}

// A folder that is not a deployed release is read as a whole, twice.
func TestVerifyAFolder(t *testing.T) {
	w, file := pinnedWish(t)
	want := w.pinned
	w.pinned = ""
	v, err := new(fleet).verify(w, nil)
	if err != nil || v.fingerprint != want {
		t.Fatalf("fingerprint %s, %v, want %s", v.fingerprint, err, want)
	}
	a := application{tenant: w.tenant, fingerprint: v.fingerprint, verified: v.wait}
	if err := os.Chtimes(file, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := new(fleet).unchanged(a); err != nil {
		t.Errorf("after a touch: %v", err)
	}
	if err := os.WriteFile(file, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := new(fleet).unchanged(a); !errors.Is(err, errChanged) {
		t.Errorf("after a change: %v, want %v", err, errChanged)
	}
}
