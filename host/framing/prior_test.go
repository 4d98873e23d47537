package framing

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// pieces gives out text, a piece for each Read, and then the end.
type pieces struct {
	net.Conn
	left []string
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.left[0])
	if p.left[0] = p.left[0][n:]; p.left[0] == "" {
		p.left = p.left[1:]
	}
	return n, nil
}

func (p *pieces) RemoteAddr() net.Addr { return nil }

// one gives out one connection.
type one struct {
	net.Listener
	conn net.Conn
}

func (o one) Accept() (net.Conn, error) { return o.conn, nil }

// prior is what net/http reads of a connection that begins like this, until its
// end, or until its fault and the poison that follows.
func prior(t *testing.T, sent ...string) (passed string, fault error) {
	t.Helper()
	c, err := PriorKnowledge(one{conn: &pieces{left: sent}}, func(_ net.Addr, e error) { fault = e }).Accept()
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1000)
	for fault == nil {
		n, err := c.Read(buf)
		if passed += string(buf[:n]); err != nil {
			return passed, nil
		}
	}
	return passed, fault
}

// head is how much of the preface a guard lets pass.
const head = "PRI * HTTP/2.0\r\n\r\n"

func TestPriorKnowledge(t *testing.T) {
	const frames = "\x00\x00\x00\x04\x00\x00\x00\x00\x00\n\n\x00 anything"
	for cut := range len(http2Preface) + len(frames) {
		whole := http2Preface + frames
		if got, fault := prior(t, whole[:cut], whole[cut:]); fault != nil || got != whole {
			t.Errorf("cut at %d: %q passes, %v", cut, got, fault)
		}
	}
	for cut := range len(http2Preface) {
		// What follows the cut is wrong, with and without a pause before it.
		const wrong = "!\x00\r\n\r\n"
		for _, sent := range [][]string{{http2Preface[:cut] + wrong}, {http2Preface[:cut], wrong}} {
			if got, fault := prior(t, sent...); fault == nil || !strings.HasPrefix(got, http2Preface[:min(cut, len(head))]) || strings.Contains(got, wrong) {
				t.Errorf("cut at %d: %q passes, %v", cut, got, fault)
			}
		}
	}
	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	if got, fault := prior(t, get+get, "GET / HTTP/1.1\nHost: h\n\n"); fault != ErrBareLF || !strings.HasPrefix(got, get+get+"GET / HTTP/1.1\x00") {
		t.Errorf("HTTP/1 is not guarded: %q, %v", got, fault)
	}
	if got, fault := prior(t, "P", "OST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"); fault != ErrBoth {
		t.Errorf("after a first byte of both: %q, %v", got, fault)
	}
	if got, fault := prior(t, get+http2Preface); fault != ErrVersion || !strings.HasPrefix(got, get+head+"\x00") {
		t.Errorf("a preface in the middle: %q, %v", got, fault)
	}
}

// A preface that breaks off is answered as HTTP/1, whatever net/http would take.
func TestBrokenPrefaceIsRefused(t *testing.T) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "PRI" {
			t.Errorf("served: %s %s", r.Method, r.RequestURI)
		}
		w.WriteHeader(505)
	})}
	done := make(chan error)
	go func() { done <- server.Serve(PriorKnowledge(l, nil)) }()
	defer func() { server.Close(); <-done }()
	for _, text := range []string{"PRI * HTTP/2.0\r\n\r\nSM\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"} {
		connect(t, l.Addr().String(), text).status(505)
	}
	connect(t, l.Addr().String(), "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x\r\n\r\n").status(400)
}

func FuzzPriorKnowledge(f *testing.F) {
	f.Add("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nx", 20)
	f.Add("PRI * HTTP/2.0\r\n\r\nSM\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 3)
	f.Add("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", 1)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		if cut < 0 || cut > len(text) {
			return
		}
		got, fault := prior(t, text[:cut], text[cut:])
		if strings.HasPrefix(text, http2Preface) {
			if got != text || fault != nil {
				t.Fatalf("%q passes, %v", got, fault)
			}
			return
		}
		var g Guard
		good := text[:g.Pass([]byte(text))]
		switch {
		case strings.HasPrefix(http2Preface, text): // nothing is decided yet
		case fault != g.Err():
			t.Fatalf("%v, and the guard says %v", fault, g.Err())
		case fault == nil && got != text || !strings.HasPrefix(got, good):
			t.Fatalf("%q passes, and the guard lets %q", got, good)
		}
	})
}
