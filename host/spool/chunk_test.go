package spool

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// asked remembers the most that was asked for at once.
type asked struct {
	io.Reader
	most int
}

func (a *asked) Read(p []byte) (int, error) {
	a.most = max(a.most, len(p))
	return a.Reader.Read(p)
}

// TestABodyInAFileIsReadInLargePieces, also when it went there with its first byte.
func TestABodyInAFileIsReadInLargePieces(t *testing.T) {
	s := newSpooler(t, Config{DiskTotal: 1 << 20})
	from := &asked{Reader: bytes.NewReader(pattern(500_000))}
	b, err := s.Read(from, 500_000, nil)
	if err != nil || !b.InFile() || from.most != largestChunk {
		t.Fatalf("%d bytes at once, in a file %v, %v", from.most, b.InFile(), err)
	}
	if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, pattern(500_000)) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestABodyThatWaitsHoldsLittleMoreThanItHas.
func TestABodyThatWaitsHoldsLittleMoreThanItHas(t *testing.T) {
	s := newSpooler(t, Config{Memory: 1 << 20, MemoryTotal: 1 << 20})
	for _, size := range []int{1, 4096, 4097, 65_536, 65_537, 70_000, 100_000, 1 << 20} {
		b, err := s.Read(bytes.NewReader(pattern(size)), 1<<20, nil)
		if err != nil {
			t.Fatal(err)
		}
		held := 0
		for _, c := range b.chunks {
			held += len(c.data)
		}
		if most := max(size+size/2, size+smallestChunk); held > most {
			t.Errorf("%d bytes hold %d, want at most %d", size, held, most)
		}
		if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, pattern(size)) {
			t.Errorf("%d of %d bytes came back, %v", len(got), size, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// stuck takes so many bytes and no more.
type stuck struct {
	bytes.Buffer
	left int
}

var errStuck = errors.New("stuck")

func (s *stuck) Write(p []byte) (int, error) {
	n, _ := s.Buffer.Write(p[:min(len(p), s.left)])
	if s.left -= n; n < len(p) {
		return n, errStuck
	}
	return n, nil
}

// TestWriteToGoesOnWhereItWas.
func TestWriteToGoesOnWhereItWas(t *testing.T) {
	s := newSpooler(t, Config{Memory: 1 << 20, MemoryTotal: 1 << 20})
	b, err := s.Read(bytes.NewReader(pattern(20_000)), 20_000, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	w := &stuck{left: 5000}
	if n, err := b.WriteTo(w); n != 5000 || !errors.Is(err, errStuck) {
		t.Errorf("%d, %v", n, err)
	}
	w.left = 1 << 20
	if n, err := b.WriteTo(w); n != 15_000 || err != nil || !bytes.Equal(w.Bytes(), pattern(20_000)) {
		t.Errorf("%d more, %v, %d in all", n, err, w.Len())
	}
}
