package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestStateIsClaimedOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, err := ClaimState(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("the state folder %s is in use by another wasgi serve (process %d): stop that one, or give this one a folder of its own (state_dir)", dir, os.Getpid())
	if _, err := ClaimState(dir); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	closeAll(t, first)
	second, err := ClaimState(dir)
	if err != nil {
		t.Fatal(err)
	}
	closeAll(t, second)
}

func TestClaimRemovesUnfinishedSnapshots(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]*\\c")
	snapshots := filepath.Join(dir, "snapshots")
	if err := os.MkdirAll(filepath.Join(snapshots, "_workers", "shop"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".shop.123.tmp", "_workers/shop/.image.1.tmp", "_workers/shop/image", "shop", "shop.tmp", ".keep"} {
		if err := os.WriteFile(filepath.Join(snapshots, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	claim, err := ClaimState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, claim)
	for name, gone := range map[string]bool{".shop.123.tmp": true, "_workers/shop/.image.1.tmp": true, "_workers/shop/image": false, "shop": false, "shop.tmp": false, ".keep": false} {
		wantGone(t, filepath.Join(snapshots, name), gone)
	}
}

func TestStateThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ClaimState(filepath.Join(file, "state")); err == nil {
		t.Error("taken")
	}
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
