package bolt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/wasgi/wasgi/host/store"
	"github.com/wasgi/wasgi/host/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closed(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
		s, err := Open(filepath.Join(t.TempDir(), "state.db"), now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// TestReopen: entries and revisions outlive the process, leases do not.
func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	at, err := s.CompareAndSet(t.Context(), "k", []byte("v"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lease(t.Context(), "l", time.Hour); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	s = open(t, path)
	defer closed(t, s)
	e, err := s.Get(t.Context(), "k")
	if err != nil || string(e.Value) != "v" || e.Revision != at {
		t.Errorf("%+v, %v", e, err)
	}
	if next, err := s.CompareAndSet(t.Context(), "other", nil, 0); err != nil || next <= at {
		t.Errorf("revision %d after %d, %v", next, at, err)
	}
	if _, err := s.Lease(t.Context(), "l", time.Hour); err != nil {
		t.Errorf("the lease of a process that has ended: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	defer closed(t, s)
	if _, err := Open(path, nil); err == nil || !strings.Contains(err.Error(), "is in use by another process: stop that one first") {
		t.Errorf("%v", err)
	}
}

func TestNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, nil); err == nil || !strings.Contains(err.Error(), "cannot be opened") {
		t.Errorf("%v", err)
	}
}

// TestDamagedEntry: an entry without its revision is named, and no panic.
func TestDamagedEntry(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer closed(t, s)
	err := s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(entries()).Put([]byte("k"), []byte("short")) })
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(t.Context(), "k")
	for _, err := range []error{err, second(s.List(t.Context(), "")), s.Delete(t.Context(), "k", 0)} {
		if err == nil || !strings.Contains(err.Error(), "k: the entry is damaged") {
			t.Errorf("%v", err)
		}
	}
}

func second(_ []store.Entry, err error) error { return err }
