package e2e

import (
	"io"
	"net/http"
	"testing"
)

// stream is a response that is read piece by piece.
type stream struct {
	t    *testing.T
	what string
	body io.ReadCloser
}

// begin asks for a response and returns when its head has come.
func (b *browser) begin(path string) stream {
	b.t.Helper()
	resp, err := b.client.Do(b.request(http.MethodGet, path))
	if err != nil {
		b.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		b.t.Errorf("GET %s: status %d", path, resp.StatusCode)
	}
	b.t.Cleanup(func() { resp.Body.Close() })
	return stream{b.t, "GET " + path, resp.Body}
}

// expect reads the next piece.
func (s stream) expect(piece string) stream {
	s.t.Helper()
	got := make([]byte, len(piece))
	if n, err := io.ReadFull(s.body, got); err != nil || string(got) != piece {
		s.t.Fatalf("%s: read %q, %v, want %q", s.what, got[:n], err, piece)
	}
	return s
}

// ends says that nothing follows and that the response is whole.
func (s stream) ends() {
	s.t.Helper()
	if rest, err := io.ReadAll(s.body); err != nil || len(rest) > 0 {
		s.t.Errorf("%s: at the end: %q, %v", s.what, rest, err)
	}
}

// leave drops the connection before the response has ended.
func (s stream) leave() { s.body.Close() }
