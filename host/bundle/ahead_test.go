package bundle

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestReadAhead gives all bytes, and then the error of the source, as often as it is
// asked.
func TestReadAhead(t *testing.T) {
	broken := errors.New("broken")
	for _, size := range []int{0, 1, aheadPiece - 1, aheadPiece, aheadPiece + 1, 11*aheadPiece + 7} {
		for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, broken} {
			text := []byte(strings.Repeat("0123456", size/7+1)[:size])
			a := readAhead(io.MultiReader(bytes.NewReader(text), iotest.ErrReader(end)))
			var got bytes.Buffer
			_, err := io.Copy(&got, a)
			if end == io.EOF {
				err = errors.Join(err, io.EOF)
			}
			if !errors.Is(err, end) || !bytes.Equal(got.Bytes(), text) {
				t.Errorf("%d bytes and %v: %d bytes and %v", size, end, got.Len(), err)
			}
			if n, err := a.Read(make([]byte, 1)); n != 0 || !errors.Is(err, end) {
				t.Errorf("%d bytes and %v: again %d, %v", size, end, n, err)
			}
			a.stop()
		}
	}
}

// TestReadAheadStops though its source never ends.
func TestReadAheadStops(t *testing.T) {
	a := readAhead(zeroes{})
	if n, err := a.Read(make([]byte, 10)); n != 10 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	a.stop()
}
