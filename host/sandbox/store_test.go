package sandbox

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
)

// stored is an engine whose log is kept, and a path for an image.
type stored struct {
	*Engine
	path string
	log  *bytes.Buffer
}

func newStored(t *testing.T, module []byte) stored {
	s := stored{newEngine(t, module), filepath.Join(t.TempDir(), "images", "tck.img"), new(bytes.Buffer)}
	s.logger = slog.New(slog.NewTextHandler(s.log, nil))
	return s
}

// open builds or opens the image, serves from it, and returns what was logged.
func (s stored) open(t *testing.T, key Key) (log string) {
	t.Helper()
	s.log.Reset()
	im, err := s.BuildStored(t.Context(), Spec{Name: "tck", Warmup: []Request{*emptyRequest()}}, s.path, key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, im.Close()) }()
	in, err := im.Restore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, in.Close()) }()
	for range 2 {
		if got := serve(t, in, emptyRequest()).body; !bytes.Equal(got, []byte{2, 2}) {
			t.Errorf("counted %v, want 2: one warm-up request and this one", got)
		}
		reset(t, in)
	}
	return s.log.String()
}

// reopen expects that the file is used as it lies.
func (s stored) reopen(t *testing.T, key Key) {
	t.Helper()
	if log := s.open(t, key); log != "" {
		t.Errorf("logged %s", log)
	}
}

func (s stored) rebuilt(t *testing.T, key Key, reason string) {
	t.Helper()
	if log := s.open(t, key); !strings.Contains(log, "the image is built") || !strings.Contains(log, reason) {
		t.Errorf("logged %q, want %q", log, reason)
	}
}

func TestStoredImageSurvives(t *testing.T) {
	s := newStored(t, tck.Counter())
	key := NewKey([]byte("a"))
	s.rebuilt(t, key, "there is none yet")
	s.reopen(t, key)
	other := stored{newEngine(t, tck.Counter()), s.path, new(bytes.Buffer)}
	other.logger = slog.New(slog.NewTextHandler(other.log, nil))
	other.reopen(t, key)
	info, err := os.Stat(s.path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if dir, err := os.ReadDir(filepath.Dir(s.path)); err != nil || len(dir) != 1 {
		t.Errorf("left behind: %v, %v", dir, err)
	}
}

func TestStoredImageIsRebuilt(t *testing.T) {
	key := NewKey([]byte("a"))
	tests := []struct {
		name   string
		change func(t *testing.T, path string)
		reason string
	}{
		{"truncated", func(t *testing.T, path string) { must(t, os.Truncate(path, 100)) }, "cut short"},
		{"a byte shorter", func(t *testing.T, path string) { must(t, os.Truncate(path, size(t, path)-1)) }, "bytes instead of"},
		{"a byte longer", func(t *testing.T, path string) { must(t, os.Truncate(path, size(t, path)+1)) }, "bytes instead of"},
		{"empty", func(t *testing.T, path string) { must(t, os.Truncate(path, 0)) }, "cut short"},
		{"readable by others", func(t *testing.T, path string) { must(t, os.Chmod(path, 0o640)) }, "others have access"},
		{"a folder", func(t *testing.T, path string) { must(t, os.Remove(path)); must(t, os.Mkdir(path, 0o700)) }, "no regular file"},
		{"a link", func(t *testing.T, path string) {
			must(t, os.Rename(path, path+"2"))
			must(t, os.Symlink(path+"2", path))
		}, "symbolic links"},
		{"another magic", flipAt(0), "no image"},
		{"another version", flipAt(8), "format version"},
		{"another key", flipAt(16), "configuration or its environment has changed"},
		{"another guest", flipAt(48), "made by another guest"},
		{"another size", flipAt(82), "bytes instead of"},
		{"another number of globals", flipAt(96), "header is damaged"},
		{"a bit in a global", flipAt(100), "digest differs"},
		{"a bit in the digest", flipAt(digestAt), "digest differs"},
		{"a bit in the page map", flipAt(headerSize), "digest differs"},
		{"a bit behind the page map", flipAt(wasmPage - 1), "digest differs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStored(t, tck.Counter())
			s.open(t, key)
			tt.change(t, s.path)
			if tt.name == "a folder" {
				if log := s.open(t, key); !strings.Contains(log, tt.reason) || !strings.Contains(log, "was not stored") {
					t.Errorf("logged %q", log)
				}
				return
			}
			s.rebuilt(t, key, tt.reason)
			s.reopen(t, key)
		})
	}
}

// TestStoredImageFlips damages a byte in each page of the file, in memory, in
// holes and in the header alike.
func TestStoredImageFlips(t *testing.T) {
	s := newStored(t, tck.Counter())
	key := NewKey([]byte("a"))
	s.open(t, key)
	whole, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at := int64(7); at < int64(len(whole)); at += 4096 {
		if _, err := f.WriteAt([]byte{whole[at] ^ 0x10}, at); err != nil {
			t.Fatal(err)
		}
		if st, err := s.openStored(Stored{path: s.path, key: key}); err == nil {
			closed(t, st.close())
			t.Errorf("a flip at %d was not seen", at)
		}
		if _, err := f.WriteAt(whole[at:at+1], at); err != nil {
			t.Fatal(err)
		}
	}
	s.reopen(t, key)
}

func TestStoredImageWithAnotherKey(t *testing.T) {
	s := newStored(t, tck.Counter())
	s.open(t, NewKey([]byte("a")))
	s.rebuilt(t, NewKey([]byte("b")), "configuration or its environment has changed")
	s.reopen(t, NewKey([]byte("b")))
}

func TestStoredImageOfAnotherGuest(t *testing.T) {
	key := NewKey()
	s := newStored(t, tck.Counter())
	s.open(t, key)
	other := newEngine(t, tck.Echo())
	var log bytes.Buffer
	other.logger = slog.New(slog.NewTextHandler(&log, nil))
	im, err := other.BuildStored(t.Context(), Spec{}, s.path, key)
	if err != nil {
		t.Fatal(err)
	}
	closed(t, im.Close())
	if !strings.Contains(log.String(), "made by another guest") {
		t.Errorf("logged %s", &log)
	}
}

func TestStoredImageAboveTheLimit(t *testing.T) {
	e := newEngine(t, tck.GrowIn(abi.ExportLoad, 16))
	path := filepath.Join(t.TempDir(), "tck.img")
	im, err := e.BuildStored(t.Context(), Spec{}, path, Key{})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, im.Close())
	_, err = e.BuildStored(t.Context(), Spec{MemoryLimit: tck.MemoryPages * wasmPage}, path, Key{})
	if e := wantKind(t, err, KindMemory); !strings.Contains(e.Detail, "more than its memory limit of 1310720") {
		t.Errorf("got %v", e)
	}
}

func TestBuildStoredFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tck.img")
	_, err := newEngine(t, tck.TrapIn(abi.ExportLoad)).BuildStored(t.Context(), Spec{}, path, Key{})
	wantKind(t, err, KindTrap)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a file was left: %v", err)
	}
}

func TestStoredAndKeptImagesAreEqual(t *testing.T) {
	e := newEngine(t, tck.Counter())
	kept := build(t, e, Spec{})
	disk, err := e.BuildStored(context.Background(), Spec{}, filepath.Join(t.TempDir(), "i"), Key{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, disk.Close()) }()
	if !bytes.Equal(kept.storage.view, disk.storage.view) {
		t.Error("memory differs")
	}
	want := kept.Stats()
	want.Stored = true
	if diff := cmp.Diff(want, disk.Stats()); diff != "" {
		t.Error(diff)
	}
	if want.MemorySize != tck.MemoryPages*wasmPage || want.NonZeroBytes == 0 || want.NonZeroBytes > 16*imagePage {
		t.Errorf("stats %+v", want)
	}
}

func TestNewKey(t *testing.T) {
	keys := map[Key]string{}
	for name, parts := range map[string][][]byte{
		"none": nil, "empty": {nil}, "two empty": {nil, nil}, "ab": {[]byte("ab")},
		"a b": {[]byte("a"), []byte("b")}, "ab and empty": {[]byte("ab"), nil},
	} {
		k := NewKey(parts...)
		if other, ok := keys[k]; ok {
			t.Errorf("%q and %q have the same key", name, other)
		}
		keys[k] = name
		if k != NewKey(parts...) {
			t.Errorf("%q has two keys", name)
		}
	}
}

func TestHeaderRoundTrip(t *testing.T) {
	want := &header{
		key: NewKey([]byte("k")), guest: NewKey([]byte("g")), size: 3 * wasmPage,
		buffer: messageBuffer{1, 2}, globals: []uint64{3, 1<<64 - 1},
	}
	got, err := decodeHeader(want.encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(header{}, messageBuffer{})); diff != "" {
		t.Error(diff)
	}
	for size, offset := range map[uint64]int64{wasmPage: wasmPage, 1 << 30: wasmPage, 4 << 30: 3 * wasmPage} {
		if got := (&header{size: size}).offset(); got != offset {
			t.Errorf("memory of %d bytes starts at %d, want %d", size, got, offset)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Size()
}

// flipAt turns the highest bit of the byte at an offset.
func flipAt(at int64) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		must(t, err)
		defer f.Close()
		b := make([]byte, 1)
		_, err = f.ReadAt(b, at)
		must(t, err)
		b[0] ^= 0x80
		_, err = f.WriteAt(b, at)
		must(t, err)
	}
}
