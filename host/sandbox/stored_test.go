package sandbox

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi/tck"
)

func (s stored) spec() Spec { return Spec{Name: "tck", Warmup: []Request{*emptyRequest()}} }

// wake opens an image that was found, and serves from it.
func (s stored) wake(t *testing.T, at Stored) {
	t.Helper()
	im, err := s.OpenStored(s.spec(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, im.Close()) }()
	if got, ok := im.Stored(); !ok || got.Bytes != at.Bytes || got.Bytes != im.Stats().NonZeroBytes {
		t.Errorf("stored %+v, %v; found %+v; %+v", got, ok, at, im.Stats())
	}
	in, err := im.Restore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, in.Close()) }()
	if got := serve(t, in, emptyRequest()).body; !bytes.Equal(got, []byte{2, 2}) {
		t.Errorf("counted %v, want 2", got)
	}
}

func TestStoredImageIsFoundAndOpened(t *testing.T) {
	s := newStored(t, tck.Counter())
	key := NewKey([]byte("a"))
	if _, err := s.FindStored(s.path, key); err == nil || err.Error() != "there is none yet" {
		t.Errorf("%v", err)
	}
	s.open(t, key)
	at, err := s.FindStored(s.path, key)
	if err != nil {
		t.Fatal(err)
	}
	s.wake(t, at)
	for what, change := range map[string]func(t *testing.T, path string){
		"another key":    flipAt(16),
		"cut short":      func(t *testing.T, path string) { must(t, os.Truncate(path, 100)) },
		"readable by it": func(t *testing.T, path string) { must(t, os.Chmod(path, 0o604)) },
	} {
		s.open(t, key)
		change(t, s.path)
		if _, err := s.FindStored(s.path, key); err == nil {
			t.Errorf("%s: found", what)
		}
		must(t, os.Remove(s.path))
	}
}

// TestStoredImageIsVerifiedOnce: a file that has been read by this process is not
// read again, and one that was written to since is.
func TestStoredImageIsVerifiedOnce(t *testing.T) {
	s := newStored(t, tck.Counter())
	key := NewKey([]byte("a"))
	s.open(t, key)
	at, err := s.FindStored(s.path, key)
	if err != nil {
		t.Fatal(err)
	}
	im, err := s.OpenStored(s.spec(), at)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.VerifyStored(at); err != nil || !again.Verified() || at.Verified() || !at.After(again).Verified() {
		t.Errorf("%+v after %+v, %v", again, at, err)
	}
	if other := (Stored{path: s.path, key: NewKey([]byte("b"))}); other.After(at).Verified() {
		t.Error("another image counts as verified")
	}
	verified, ok := im.Stored()
	closed(t, im.Close())
	info, err := os.Stat(s.path)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	flipAt(size(t, s.path)-1)(t, s.path)
	// As if nobody had written: the digest is not looked at.
	must(t, os.Chtimes(s.path, time.Time{}, info.ModTime()))
	im, err = s.OpenStored(s.spec(), verified)
	if err != nil {
		t.Errorf("a file that was verified: %v", err)
	} else {
		closed(t, im.Close())
	}
	if _, err := s.VerifyStored(at); !errors.Is(err, errDamaged) {
		t.Errorf("verified: %v, want that it is damaged", err)
	}
	if _, err := s.OpenStored(s.spec(), at); !errors.Is(err, errDamaged) {
		t.Errorf("a file that was only found: %v, want that it is damaged", err)
	}
	must(t, os.Chtimes(s.path, time.Time{}, info.ModTime().Add(time.Nanosecond)))
	if _, err := s.OpenStored(s.spec(), verified); !errors.Is(err, errDamaged) {
		t.Errorf("a file that somebody wrote to: %v, want that it is damaged", err)
	}
	must(t, os.Remove(s.path))
	if _, err := s.OpenStored(s.spec(), verified); err == nil {
		t.Error("a file that is gone was opened")
	}
	if _, ok := buildImage(t, s).Stored(); ok {
		t.Error("an image in memory lies in a file")
	}
}

func buildImage(t *testing.T, s stored) *Image {
	t.Helper()
	im, err := s.Build(t.Context(), s.spec())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, im.Close()) })
	return im
}
