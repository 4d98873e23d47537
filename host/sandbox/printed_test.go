package sandbox

import (
	"strings"
	"testing"

	"github.com/wasgi/wasgi/wasi"
)

// printing is a recorder that gets the lines of a guest.
type printing struct {
	recorder
	lines []string
}

func (p *printing) Print(s Stream, line string) {
	p.lines = append(p.lines, s.String()+" "+line)
}

const printer = `
import os, sys
print("imported")
def application(environ, start_response):
    who = environ["PATH_INFO"]
    print(who, "one\n" + who, "two", end="")
    os.write(2, ("raw " + who).encode())
    start_response("200 OK", [])
    return []
`

// Each line belongs to the request that said it, unfinished ones too, and no
// instance ends the line of another. What is said outside of requests goes to the
// policy's stream.
func TestPythonLinesBelongToTheirRequest(t *testing.T) {
	p := newPython(t)
	spec := p.spec(t, printer)
	spec.Warmup = nil
	var shared []string
	spec.Policy.Stdout = wasi.LineWriter(func(line string) { shared = append(shared, line) }, 100)
	spec.Policy.Stderr = wasi.LineWriter(func(line string) { shared = append(shared, "stderr "+line) }, 100)
	im := build(t, p.engine, spec)
	a, b := restore(t, im), restore(t, im)
	for range 2 {
		for _, c := range []struct {
			in   *Instance
			path string
		}{{a, "/a"}, {b, "/b"}} {
			var got printing
			if err := c.in.Serve(t.Context(), &Request{Environ: get(t, c.path)}, &got); err != nil {
				t.Fatal(err)
			}
			want := "stdout " + c.path + " one,stdout " + c.path + " two,stderr raw " + c.path
			if text := strings.Join(got.lines, ","); text != want {
				t.Errorf("%s said %q, want %q", c.path, text, want)
			}
		}
	}
	serve(t, a, &Request{Environ: get(t, "/c")}) // a responder that takes no lines
	if got, want := strings.Join(shared, ","), "imported,/c one,/c two,stderr raw /c"; got != want {
		t.Errorf("the shared streams got %q, want %q", got, want)
	}
}
