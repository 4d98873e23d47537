package wasi

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// counted opens a directory and counts what is open.
func counted(t *testing.T, open *int, fail *error) func() (FS, error) {
	dir := t.TempDir()
	return func() (FS, error) {
		if *fail != nil {
			return nil, *fail
		}
		f, err := ReadOnlyDir(dir)
		*open++
		return countedFS{f, open}, err
	}
}

type countedFS struct {
	FS
	open *int
}

func (c countedFS) Close() error { *c.open--; return c.FS.(*readOnlyDir).Close() }

func TestOnDemandIsOpenWhileASandboxIs(t *testing.T) {
	var open int
	var fail error
	app, err := OnDemand("/app", counted(t, &open, &fail))
	if err != nil || open != 0 {
		t.Fatalf("%d open (%v) before there is a sandbox", open, err)
	}
	policy := Policy{Mounts: []Mount{app}}
	var boxes []*Sandbox
	for range 2 {
		s, err := policy.NewSandbox()
		if err != nil || open != 1 {
			t.Fatalf("%d open, %v", open, err)
		}
		if _, errno := s.mounts[0].fs.Stat("."); errno != 0 {
			t.Errorf("stat: %v", errno)
		}
		boxes = append(boxes, s)
	}
	if err := boxes[0].Reset(); err != nil || open != 1 {
		t.Errorf("a reset leaves %d open, %v", open, err)
	}
	for i, want := range []int{1, 1, 0, 0} {
		if err := boxes[i/2].Close(); err != nil || open != want {
			t.Errorf("close %d leaves %d open, want %d, %v", i, open, want, err)
		}
	}
	fail = errors.New("gone")
	if _, err := policy.NewSandbox(); !errors.Is(err, fail) {
		t.Errorf("%v, want %v", err, fail)
	}
	if _, err := OnDemand("/app", counted(t, &open, &fail)); !errors.Is(err, fail) {
		t.Errorf("at once: %v, want %v", err, fail)
	}
}

// TestAMountThatFailsClosesThoseBefore.
func TestAMountThatFailsClosesThoseBefore(t *testing.T) {
	var open int
	var fail error
	app, err := OnDemand("/app", counted(t, &open, &fail))
	if err != nil {
		t.Fatal(err)
	}
	bad := Mount{Guest: "/bad", Open: func() (FS, error) { return nil, fs.ErrNotExist }}
	if _, err := (Policy{Mounts: []Mount{app, bad}}).NewSandbox(); !errors.Is(err, fs.ErrNotExist) || open != 0 {
		t.Errorf("%d open, %v", open, err)
	}
}

// TestAQuotaCountsADirectoryThatTookThePlace of one that nobody has open.
func TestAQuotaCountsADirectoryThatTookThePlace(t *testing.T) {
	parent, q := t.TempDir(), NewQuota(100, 10)
	dir := filepath.Join(parent, "data")
	fill := func(size int) {
		t.Helper()
		if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "f"), make([]byte, size), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	closing := func(f FS) {
		t.Helper()
		if err := errors.Join(f.(*writableDir).Close(), f.(*writableDir).Close()); err != nil {
			t.Error(err)
		}
	}
	fill(30)
	first, err := WritableDir(dir, q)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	fill(50)
	if _, err := WritableDir(dir, q); err == nil {
		t.Error("the quota serves two directories at once")
	}
	closing(first)
	second, err := WritableDir(dir, q)
	if bytes, files := q.Usage(); err != nil || bytes != 50 || files != 1 {
		t.Errorf("%d bytes, %d files, %v", bytes, files, err)
	}
	closing(second)
	if q.users != 0 {
		t.Errorf("%d users are left", q.users)
	}
}

func TestOnDemandUnseenIsOpenedByTheFirstSandbox(t *testing.T) {
	var open int
	fail := fs.ErrNotExist
	app := OnDemandUnseen("/app", counted(t, &open, &fail))
	policy := Policy{Mounts: []Mount{app}}
	if _, err := policy.NewSandbox(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want that it is not there", err)
	}
	fail = nil
	box, err := policy.NewSandbox()
	if err != nil || open != 1 {
		t.Fatalf("%d open, %v", open, err)
	}
	if err := box.Close(); err != nil || open != 0 {
		t.Errorf("%d open, %v", open, err)
	}
}
