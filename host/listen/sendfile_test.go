package listen

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFileArrives(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 3*maxPiece/16)
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	l := NewGate(Limits{Connections: 1, Stall: time.Minute}).Bound(open(t, "127.0.0.1:0"))
	client := dial(t, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		n   int64
		err error
	}
	done := make(chan [3]result, 1)
	go func() {
		var r [3]result
		for i, src := range []io.Reader{io.LimitReader(file, 2*maxPiece+5), strings.NewReader("text"), io.LimitReader(file, 4*maxPiece)} {
			r[i].n, r[i].err = c.(io.ReaderFrom).ReadFrom(src)
		}
		done <- r
		c.Close()
	}()
	want := string(content[:2*maxPiece+5]) + "text" + string(content[2*maxPiece+5:])
	if b, err := io.ReadAll(client); string(b) != want || err != nil {
		t.Errorf("%d bytes arrived, want %d, %v", len(b), len(want), err)
	}
	if r := <-done; r != [3]result{{2*maxPiece + 5, nil}, {4, nil}, {maxPiece - 5, nil}} {
		t.Errorf("sent %v", r)
	}
}

func TestFileToAClientThatDoesNotReadEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	l := NewGate(Limits{Connections: 1, Stall: 20 * time.Millisecond}).Bound(open(t, "127.0.0.1:0"))
	dial(t, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n, err := c.(io.ReaderFrom).ReadFrom(io.LimitReader(file, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 64<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}
