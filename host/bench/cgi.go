package main

import (
	"context"
	"net/http"
	"net/http/cgi"
	"os"
	"path/filepath"
	"strings"
)

// cgiWord makes this program a CGI server; see cgiMain.
const cgiWord = "cgi-server"

// cgiPart compares fresh with the classic way to have no state: a native
// interpreter for each request.
func cgiPart(a app) func(context.Context, *bench, *section) error {
	return func(ctx context.Context, b *bench, s *section) error {
		s.note("CGI is the peers' interpreter with wsgiref.handlers.CGIHandler, started for each request by a server with Go's net/http/cgi.")
		self, err := os.Executable()
		if err != nil {
			return err
		}
		server := peer{cgiServer, func(addr string) []string {
			return []string{self, cgiWord, addr, b.venvPython(), filepath.Join(benchDir(), "cgi_script.py")}
		}}
		f := b.startFleet(ctx, a, []peer{server}, s)
		defer f.stop()
		return b.loads(ctx, f, a, few(b.opt.connections, 16), s)
	}
}

// cgiMain serves the application in the current folder by CGI: the words are
// address, interpreter and script.
func cgiMain(words []string) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	return http.ListenAndServe(words[0], &cgi.Handler{
		Path: words[1], Args: words[2:], Dir: dir, Root: "/", Stderr: os.Stderr,
		Env: []string{"PYTHONPATH=" + os.Getenv("PYTHONPATH"), "PATH=" + strings.TrimSpace(os.Getenv("PATH"))},
	})
}

// few are the numbers up to a limit, at least the first: beyond it a process
// for each request only queues.
func few(numbers []int, limit int) []int {
	var out []int
	for _, n := range numbers {
		if n <= limit {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return numbers[:1]
	}
	return out
}
