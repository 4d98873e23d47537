//go:build linux

package worker

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/worker/wire"
)

// acknowledged is a host that takes everything.
type acknowledged struct{ said bytes.Buffer }

func (a *acknowledged) Write(p []byte) (int, error) { return a.said.Write(p) }

func (a *acknowledged) Read(p []byte) (int, error) {
	return copy(p, []byte{1, 0, 0, 0, byte(wire.Ack), 0}), nil
}

// sent is what a reply makes of one call of Write, in words.
func sent(t *testing.T, h abi.ResponseHead, body int, last bool) []string {
	t.Helper()
	host := new(acknowledged)
	r := &reply{conn: wire.NewConn(host, wire.MaxCall)}
	if err := r.Start(h); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(make([]byte, body), last); err != nil {
		t.Fatal(err)
	}
	var out []string
	in := wire.NewConn(&host.said, wire.MaxReply)
	for {
		_, payload, err := in.Read()
		if err != nil {
			break
		}
		p, err := wire.DecodePiece(payload)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%d bytes", len(p.Body))
		if len(p.Head) > 0 {
			head, err := abi.DecodeResponseHead(p.Head)
			if err != nil {
				t.Fatal(err)
			}
			text += fmt.Sprint(" of ", head.Headers)
		}
		if p.Last {
			text += ", last"
		}
		out = append(out, text)
	}
	if r.held != nil || r.last {
		out = append(out, fmt.Sprintf("%d bytes held", len(r.held)))
	}
	return out
}

func TestReply(t *testing.T) {
	head := func(status int, headers ...abi.Pair) abi.ResponseHead {
		return abi.ResponseHead{Status: status, Headers: headers}
	}
	own := abi.Pair{Key: "content-length", Value: "7"}
	for _, c := range []struct {
		name string
		head abi.ResponseHead
		body int
		last bool
		want []string
	}{
		{"small and whole", head(200), 10, true, []string{"10 bytes held"}},
		{"empty", head(200), 0, true, []string{"0 bytes held"}},
		{"a piece", head(200), 10, false, []string{"10 bytes of []"}},
		{"large and whole", head(200), 100_000, true, []string{"65536 bytes of [{Content-Length 100000}]", "34464 bytes, last"}},
		{"large and announced", head(200, own), 100_000, true, []string{"65536 bytes of [{content-length 7}]", "34464 bytes, last"}},
		{"large and not whole", head(200), 65_537, false, []string{"65536 bytes of []", "1 bytes"}},
		{"not modified", head(304), 65_537, true, []string{"65536 bytes of []", "1 bytes, last"}},
	} {
		if diff := cmp.Diff(c.want, sent(t, c.head, c.body, c.last)); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}
