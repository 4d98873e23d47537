package host

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/wasgi/wasgi/host/store"
	"github.com/wasgi/wasgi/host/store/bolt"
)

// A store that was given up can be opened by another, and be had back.
func TestPausable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	open := func() (store.Store, error) { return bolt.Open(path, nil) }
	p, err := newPausable(open)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.CompareAndSet(t.Context(), "a", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.pause(); err != nil {
			t.Fatal(err)
		}
	}
	other, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Get(t.Context(), "a"); !errors.Is(err, errAway) {
		t.Errorf("while another has it: %v", err)
	}
	if _, err := p.Lease(t.Context(), "a", 1); !errors.Is(err, errAway) {
		t.Errorf("a lease while another has it: %v", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.resume(); err != nil {
			t.Fatal(err)
		}
	}
	if e, err := p.Get(t.Context(), "a"); string(e.Value) != "1" || err != nil {
		t.Errorf("%q, %v", e.Value, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
