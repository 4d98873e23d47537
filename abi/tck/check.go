package tck

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

// Session is an instance under test, as a host drives it. Serve returns what
// the host would send: it fails when the guest breaks the contract.
type Session interface {
	Serve(environ, body []byte) (abi.ResponseHead, []byte, error)
}

// EchoApp is the application that [Check] expects, in Python. A guest of
// another kind behaves the same.
const EchoApp = `
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [body]
`

// Check is what any guest must pass. The application that the session serves
// answers 200 with the bytes of the request's body, as [EchoApp] does.
func Check(t *testing.T, s Session) {
	t.Helper()
	for _, size := range []int{0, 1, 1000, 64 << 10, 1<<20 + 1} {
		t.Run(fmt.Sprintf("body of %d bytes", size), func(t *testing.T) {
			echo(t, s, request("POST", "/", size), pattern(size))
		})
	}
	t.Run("every well-known key", func(t *testing.T) {
		e := request("GET", "/", 0)
		for i, key := range abi.WellKnownKeys() {
			if i > 0 && strings.HasPrefix(key, "HTTP_") {
				e.AddKnown(uint16(i), "value "+strconv.Itoa(i))
			}
		}
		echo(t, s, e, nil)
	})
	t.Run("latin-1 in path and header", func(t *testing.T) {
		e := request("GET", "/caf\xe9\xff", 0)
		e.Add(nil, "HTTP_X_LATIN", "\xe9\x80\xff")
		echo(t, s, e, nil)
	})
	t.Run("as many entries as there may be", func(t *testing.T) {
		e := request("GET", "/", 0)
		for i := range abi.MaxEntries - requestEntries {
			e.Add(nil, "HTTP_X_"+strconv.Itoa(i), "v")
		}
		echo(t, s, e, nil)
	})
	t.Run("as long a message as there may be", func(t *testing.T) {
		e := request("GET", "/", 0)
		b, _ := e.Bytes()
		const key = "HTTP_X_LONG"
		e.Add(nil, key, strings.Repeat("x", abi.MaxMessage-len(b)-8-len(key)))
		echo(t, s, e, nil)
	})
	t.Run("many requests", func(t *testing.T) {
		for i := range 100 {
			echo(t, s, request("POST", "/"+strconv.Itoa(i), i), pattern(i))
		}
	})
}

// requestEntries is the number of entries of request.
const requestEntries = 9

// request is the environ of a request with a body of size bytes.
func request(method, path string, size int) *abi.Environ {
	e, numbers := new(abi.Environ), abi.KeyNumbers()
	for _, p := range []abi.Pair{
		{Key: "REQUEST_METHOD", Value: method}, {Key: "SCRIPT_NAME", Value: ""}, {Key: "PATH_INFO", Value: path},
		{Key: "QUERY_STRING", Value: ""}, {Key: "CONTENT_LENGTH", Value: strconv.Itoa(size)},
		{Key: "SERVER_NAME", Value: "tck"}, {Key: "SERVER_PORT", Value: "80"},
		{Key: "SERVER_PROTOCOL", Value: "HTTP/1.1"}, {Key: "wsgi.url_scheme", Value: "http"},
	} {
		e.Add(numbers, p.Key, p.Value)
	}
	return e
}

// pattern has a different byte at each place of a page.
func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func echo(t *testing.T, s Session, e *abi.Environ, body []byte) {
	t.Helper()
	environ, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	head, got, err := s.Serve(environ, body)
	if err != nil {
		t.Fatal(err)
	}
	if head.Status != 200 {
		t.Errorf("status %d", head.Status)
	}
	if !bytes.Equal(got, body) {
		t.Errorf("%d bytes came back for %d, or others", len(got), len(body))
	}
}
