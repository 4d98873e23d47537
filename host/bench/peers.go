package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Servers that others are compared with.
const (
	baseline = "gunicorn sync"
	uwsgi    = "uWSGI"
	// uwsgiClosing answers one request on each connection, as gunicorn's sync worker.
	uwsgiClosing = "uWSGI, no keep-alive"
	reuse        = "wasgi reuse"
	fresh        = "wasgi fresh"
	cgiServer    = "CGI"
)

// peer is a server outside wasgi and its command line. It runs in the folder
// of the application, app:application.
type peer struct {
	name string
	args func(addr string) []string
}

func (b *bench) peers() []peer {
	return []peer{
		b.gunicorn(baseline, b.cores, "sync"),
		b.gunicorn("gunicorn gthread", b.cores, "gthread", "--threads", "4"),
		b.uwsgi(uwsgi, "--http11-socket"),
		// Without the header its clients would take the end of the connection for an error.
		b.uwsgi(uwsgiClosing, "--http-socket", "--add-header", "Connection: close"),
		{"waitress", func(addr string) []string {
			return []string{b.venvPython(), filepath.Join(benchDir(), "waitress_prefork.py"), addr, strconv.Itoa(b.cores)}
		}},
		{"granian", func(addr string) []string {
			host, port, _ := strings.Cut(addr, ":")
			return []string{b.venvBin("granian"), "--interface", "wsgi", "--host", host, "--port", port,
				"--workers", strconv.Itoa(b.cores), "--no-ws", "app:application"}
		}},
	}
}

func (b *bench) gunicorn(name string, workers int, class string, more ...string) peer {
	return peer{name, func(addr string) []string {
		return append([]string{b.venvBin("gunicorn"), "-b", addr, "-w", strconv.Itoa(workers), "-k", class, "app:application"}, more...)
	}}
}

// uwsgi listens for HTTP in its workers, without its router process in between.
func (b *bench) uwsgi(name, socket string, more ...string) peer {
	return peer{name, func(addr string) []string {
		return append([]string{
			b.venvBin("uwsgi"), socket, addr, "--master", "--processes", strconv.Itoa(b.cores), "--disable-logging",
			"--listen", strconv.Itoa(min(1024, somaxconn())), "--module", "app:application", "--venv", b.venv(),
		}, more...)
	}}
}

// somaxconn is the longest queue of a listening socket; uWSGI refuses to start
// with a longer one.
func somaxconn() int {
	text, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		return 100
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 100
	}
	return n
}
