package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/iotest"
)

func newSpooler(t *testing.T, c Config) *Spooler {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 / 3)
	}
	return b
}

func TestBodiesComeBackAsTheyCame(t *testing.T) {
	s := newSpooler(t, Config{Memory: 50_000, MemoryTotal: 1 << 20, DiskTotal: 1 << 20})
	for _, c := range []struct {
		size   int
		inFile bool
	}{{0, false}, {1, false}, {50_000, false}, {50_001, true}, {200_000, true}} {
		want := pattern(c.size)
		for name, from := range map[string]io.Reader{
			"whole": bytes.NewReader(want), "bytes": iotest.OneByteReader(bytes.NewReader(want)), "data and error": iotest.DataErrReader(bytes.NewReader(want)),
		} {
			b, err := s.Read(from, 200_000, nil)
			if err != nil {
				t.Fatalf("%d, %s: %v", c.size, name, err)
			}
			for range 2 {
				got, err := io.ReadAll(b)
				if err != nil || !bytes.Equal(got, want) || b.Size() != int64(c.size) || b.InFile() != c.inFile {
					t.Errorf("%d, %s: %d bytes, size %d, in file %v, %v", c.size, name, len(got), b.Size(), b.InFile(), err)
				}
				if err := b.Rewind(); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(b.Close(), b.Close()); err != nil {
				t.Error(err)
			}
		}
	}
	if m, d := s.memory.taken.Load(), s.disk.taken.Load(); m != 0 || d != 0 {
		t.Errorf("the budgets lack %d and %d bytes", m, d)
	}
}

func TestRefusals(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name  string
		cfg   Config
		from  io.Reader
		limit int64
		want  error
	}{
		{"above the limit", Config{Memory: 10, MemoryTotal: 10, DiskTotal: 1000}, bytes.NewReader(pattern(101)), 100, ErrTooLarge},
		{"no budget", Config{Memory: 10, MemoryTotal: 10, DiskTotal: 50}, bytes.NewReader(pattern(60)), 100, ErrFull},
		{"client breaks", Config{Memory: 10, MemoryTotal: 10, DiskTotal: 1000}, io.MultiReader(bytes.NewReader(pattern(20)), iotest.ErrReader(broken)), 100, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSpooler(t, c.cfg)
			if b, err := s.Read(c.from, c.limit, nil); !errors.Is(err, c.want) || b != nil {
				t.Errorf("%v, %v, want %v", b, err, c.want)
			}
			if m, d := s.memory.taken.Load(), s.disk.taken.Load(); m != 0 || d != 0 {
				t.Errorf("the budgets lack %d and %d bytes", m, d)
			}
		})
	}
}

// Where memory for all bodies is used up a small body goes to a file.
func TestMemoryBudgetIsShared(t *testing.T) {
	s := newSpooler(t, Config{Memory: 100, MemoryTotal: 150, DiskTotal: 1000})
	first, err := s.Read(bytes.NewReader(pattern(100)), 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Read(bytes.NewReader(pattern(100)), 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	if first.InFile() || !second.InFile() {
		t.Errorf("in files: %v, %v", first.InFile(), second.InFile())
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Error(err)
	}
}

func TestNothingIsLeftInTheFolder(t *testing.T) {
	dir := t.TempDir()
	s := newSpooler(t, Config{DiskTotal: 1000, Dir: dir})
	b, err := s.Read(bytes.NewReader(pattern(100)), 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("%v, %v", names, err)
	}
}

func TestBuffersAreWiped(t *testing.T) {
	s := newSpooler(t, Config{Memory: 1000, MemoryTotal: 1000})
	b, err := s.Read(bytes.NewReader(bytes.Repeat([]byte("s"), 1000)), 1000, nil)
	if err != nil {
		t.Fatal(err)
	}
	var memory [][]byte
	for _, c := range b.chunks {
		memory = append(memory, c.data)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if len(memory) == 0 {
		t.Fatal("the body was not in memory")
	}
	for _, m := range memory {
		if bytes.Contains(m, []byte("s")) {
			t.Error("the body is still in memory that is used again")
		}
	}
}

func TestProgressSeesEveryByte(t *testing.T) {
	s := newSpooler(t, Config{Memory: 1000, MemoryTotal: 1000})
	var seen []int64
	b, err := s.Read(iotest.HalfReader(bytes.NewReader(pattern(3))), 3, func(n int64) { seen = append(seen, n) })
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if len(seen) == 0 || seen[len(seen)-1] != 3 {
		t.Errorf("progress %v", seen)
	}
}

func TestNewRefusesAFolderThatTakesNoFiles(t *testing.T) {
	if _, err := New(Config{Dir: "/nonexistent"}); err == nil {
		t.Error("taken")
	}
}

func TestKeep(t *testing.T) {
	s := newSpooler(t, Config{Memory: 8, MemoryTotal: 12, DiskTotal: 20})
	small, err := s.Keep([]byte("12345678"))
	if err != nil || small.InFile() {
		t.Fatalf("within memory: in a file %v, %v", small.InFile(), err)
	}
	more, err := s.Keep([]byte("abcdefgh"))
	if err != nil || !more.InFile() || len(more.chunks) > 0 {
		t.Fatalf("above the memory of all: in a file %v, %v", more.InFile(), err)
	}
	if _, err := s.Keep(make([]byte, 13)); !errors.Is(err, ErrFull) {
		t.Errorf("above the disk of all: %v", err)
	}
	for body, want := range map[*Body]string{small: "12345678", more: "abcdefgh"} {
		var out bytes.Buffer
		if n, err := body.WriteTo(&out); err != nil || n != 8 || out.String() != want {
			t.Errorf("read %q, %d bytes, %v", out.String(), n, err)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
	if m, d := s.memory.taken.Load(), s.disk.taken.Load(); m != 0 || d != 0 {
		t.Errorf("%d bytes of memory and %d of disk stay booked", m, d)
	}
}
