package guesttest

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

// script is one request of an application's docstring, and the transcript
// that it must give.
type script struct {
	method, path, body string
	goneAfter          int
	want               string
}

// TestWSGI runs every application of testdata/apps: its docstring holds the
// requests, each followed by a line of dashes and the transcript to expect.
func TestWSGI(t *testing.T) {
	files, err := filepath.Glob("testdata/apps/*.py")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d applications, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".py")
		t.Run(name, func(t *testing.T) {
			scripts := readScripts(t, file)
			in := start(t, abi.BootModeWSGI)
			in.load(name + ":application")
			for _, s := range scripts {
				if diff := cmp.Diff(s.want, in.play(s)); diff != "" {
					t.Errorf("%s %s: (-want +got)\n%s", s.method, s.path, diff)
				}
			}
		})
	}
}

func (in *instance) play(s script) string {
	in.t.Helper()
	in.stdout.writes = nil
	more := []abi.Pair{}
	if s.body != "" {
		more = append(more, abi.Pair{Key: "CONTENT_LENGTH", Value: strconv.Itoa(len(s.body))})
	}
	x := &exchange{body: strings.NewReader(s.body), goneAfter: s.goneAfter}
	in.handle(environ(in.t, s.method, s.path, more...), x)
	return transcript(x, in.stdout.writes)
}

// transcript writes down what came out of a request, in order.
func transcript(x *exchange, stdout []string) string {
	var b strings.Builder
	for _, c := range x.calls {
		c.describe(&b)
	}
	for _, line := range stdout {
		fmt.Fprintf(&b, "stdout %s\n", strconv.QuoteToASCII(line))
	}
	fmt.Fprintf(&b, "status %v\n", x.status)
	return b.String()
}

func (c call) describe(b *strings.Builder) {
	switch {
	case c.head != nil:
		fmt.Fprintf(b, "head %d %s\n", c.head.Status, c.head.Reason)
		for _, h := range c.head.Headers {
			fmt.Fprintf(b, "header %s: %s\n", h.Key, escaped(h.Value))
		}
	case c.log != nil:
		c.log.describe(b)
	case c.asks:
		fmt.Fprintln(b, "ask")
	case c.file != nil:
		c.file.describe(b)
	case len(c.data) > 1000:
		fmt.Fprintf(b, "write %d%s\n", len(c.data), c.mark())
	default:
		fmt.Fprintf(b, "write %s%s\n", strconv.QuoteToASCII(c.data), c.mark())
	}
}

// describe leaves out the descriptor: which number is free is no matter.
func (f sentFile) describe(b *strings.Builder) {
	if f.limit == math.MaxInt64 {
		fmt.Fprintf(b, "file from %d\n", f.offset)
		return
	}
	fmt.Fprintf(b, "file from %d, at most %d\n", f.offset, f.limit)
}

func (c call) mark() string {
	switch {
	case c.last:
		return " last"
	case c.flush:
		return " flush"
	}
	return ""
}

// describe shows only the last line of a traceback.
func (l logged) describe(b *strings.Builder) {
	text := l.text
	kind := map[abi.LogLevel]string{
		abi.LogErrors: "errors", abi.LogTraceback: "traceback", abi.LogGateway: "gateway"}[l.level]
	if l.level == abi.LogTraceback {
		text = lastLine(text)
	}
	fmt.Fprintf(b, "%s %s\n", kind, strconv.QuoteToASCII(text))
}

// escaped shows ISO 8859-1 bytes as Go escapes.
func escaped(latin1 string) string {
	runes := make([]rune, len(latin1))
	for i := range len(latin1) {
		runes[i] = rune(latin1[i])
	}
	return strings.Trim(strconv.QuoteToASCII(string(runes)), `"`)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func readScripts(t *testing.T, file string) []script {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, _, ok := strings.Cut(strings.TrimPrefix(string(source), `"""`), `"""`)
	if !ok {
		t.Fatalf("%s has no docstring", file)
	}
	var scripts []script
	for _, paragraph := range strings.Split(doc, "\n\n") {
		request, want, ok := strings.Cut(paragraph, "\n---\n")
		if !ok {
			continue
		}
		s := readRequest(t, request)
		s.want = strings.TrimSuffix(want, "\n") + "\n"
		scripts = append(scripts, s)
	}
	return scripts
}

// readRequest reads "METHOD PATH", "> BODY" (with \n for a newline), "> repeat
// N TEXT" and "gone N", a line each.
func readRequest(t *testing.T, text string) (s script) {
	t.Helper()
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		var n int
		var unit string
		switch _, err := fmt.Sscanf(rest, "repeat %d %s", &n, &unit); {
		case word == ">" && err == nil:
			s.body = strings.Repeat(unit, n)
		case word == ">":
			s.body = strings.ReplaceAll(rest, `\n`, "\n")
		case word == "gone":
			s.goneAfter, _ = strconv.Atoi(rest)
		default:
			s.method, s.path = word, rest
		}
	}
	return s
}
