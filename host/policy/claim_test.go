package policy

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFirstClaimRemovesStaleLocks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	lock := filepath.Join(dir, "sub", "db.sqlite3.lock")
	full := filepath.Join(dir, "full.lock")
	for _, d := range []string{lock, filepath.Join(full, "x")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	first := claimed(t, dir)
	wantGone(t, lock, true)
	wantGone(t, full, false)

	if err := os.Mkdir(lock, 0o700); err != nil {
		t.Fatal(err)
	}
	second := claimed(t, dir) // a process beside the first: the lock may be live
	wantGone(t, lock, false)
	closeAll(t, first, second)

	closeAll(t, claimed(t, dir))
	wantGone(t, lock, true)
}

func claimed(t *testing.T, dir string) *Claim {
	t.Helper()
	c, err := ClaimData(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func closeAll(t *testing.T, claims ...*Claim) {
	t.Helper()
	for _, c := range claims {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func wantGone(t *testing.T, name string, want bool) {
	t.Helper()
	_, err := os.Stat(name)
	if gone := os.IsNotExist(err); gone != want {
		t.Errorf("%s: gone %v (%v), want %v", name, gone, err, want)
	}
}
