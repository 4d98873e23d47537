package sandbox

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/wasi"
)

// extended is a Responder with all that one may have besides.
type extended struct {
	recorder
	hints   [][]abi.Pair
	flushes int
	files   []string // what SendFile was given, read
	gone    bool
	failure error // of SendFile
}

func (r *extended) Gone() bool { return r.gone }

func (r *extended) Flush() error {
	r.flushes++
	return nil
}

func (r *extended) Hints(h []abi.Pair) error {
	r.hints = append(r.hints, h)
	return nil
}

func (r *extended) SendFile(f wasi.Regular, offset, size int64) error {
	if r.failure != nil {
		return r.failure
	}
	b, err := io.ReadAll(io.NewSectionReader(f, offset, size))
	r.files = append(r.files, string(b))
	return err
}

const extendedApp = `
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/hints":
        environ["wsgi.early_hints"]([("Link", "</a>")])
    write = start_response("200 OK", [])
    if path == "/flush":
        write(b"")
    if path == "/empty":
        return (b"" for _ in range(10 ** 9))
    with open("/tmp/file", "wb") as file:
        file.write(b"0123456789" * 10000)
    file = open("/tmp/file", "rb")
    file.read(99990)
    return environ["wsgi.file_wrapper"](file)
`

func TestExtensions(t *testing.T) {
	p := newPython(t)
	in := restore(t, build(t, p.engine, p.spec(t, extendedApp)))
	ask := func(path string, r Responder) error { return in.Serve(t.Context(), &Request{Environ: get(t, path)}, r) }

	r := &extended{}
	if err := errors.Join(ask("/hints", r), ask("/flush", r)); err != nil {
		t.Fatal(err)
	}
	if len(r.hints) != 1 || r.hints[0][0] != (abi.Pair{Key: "Link", Value: "</a>"}) || r.flushes != 1 || strings.Join(r.files, " ") != "0123456789 0123456789" {
		t.Errorf("hints %v, flushed %d times, files %q", r.hints, r.flushes, r.files)
	}
	if err := ask("/empty", &extended{gone: true}); err != nil {
		t.Errorf("nobody listens: %v", err)
	}
	if err := ask("/", &extended{failure: ErrClientGone}); err != nil {
		t.Errorf("nobody takes the file: %v", err)
	}
	wantKind(t, ask("/", &extended{failure: ErrFile}), KindException)
	plain := &recorder{}
	if err := ask("/hints", plain); err != nil || string(plain.body) != "0123456789" || !plain.last {
		t.Errorf("without extensions: %q, %v", plain.body, err)
	}
	wantKind(t, ask("/", &recorder{onWrite: func([]byte) error { return ErrFile }}), KindException)
}

// What a guest passes is judged before anything is done.
func TestResponseFileRefuses(t *testing.T) {
	in := &Instance{}
	if got := in.responseFile(0, 0, 0); got != int64(abi.ESTATE.Result()) {
		t.Errorf("without a request: %d", got)
	}
	in.exchange = exchange{responder: &recorder{}, hasHead: true}
	for _, wrong := range [][2]int64{{-1, 0}, {0, -1}, {-1 << 63, -1 << 63}} {
		if got := in.responseFile(3, wrong[0], wrong[1]); got != int64(abi.EINVAL.Result()) {
			t.Errorf("offset %d, limit %d: %d", wrong[0], wrong[1], got)
		}
	}
	in.exchange.last = true
	if got := in.responseFile(3, 0, 0); got != int64(abi.ESTATE.Result()) {
		t.Errorf("after the last byte: %d", got)
	}
}

func TestEachPiece(t *testing.T) {
	for _, size := range []int{0, 1, filePiece, filePiece + 1, 3 * filePiece} {
		content := bytes.Repeat([]byte("ab"), size)[:size]
		var got []byte
		ends := 0
		err := EachPiece(bytes.NewReader(append([]byte("skip"), content...)), 4, int64(size), func(p []byte, last bool) error {
			got = append(got, p...)
			if last {
				ends++
			}
			return nil
		})
		if err != nil || !bytes.Equal(got, content) || ends != 1 {
			t.Errorf("%d bytes: %d came, %d ends, %v", size, len(got), ends, err)
		}
	}
	if err := EachPiece(strings.NewReader("abc"), 0, 4, func([]byte, bool) error { return nil }); !errors.Is(err, ErrFile) {
		t.Errorf("a file that is too short: %v", err)
	}
}
