package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// target is one server with one application.
type target struct {
	server string // "gunicorn sync", "wasgi reuse" …
	app    string
	url    string
}

// fleet is every server that one run compares. stop may be called twice.
type fleet struct {
	targets []target
	procs   []*exec.Cmd
}

func startFleet(ctx context.Context, opt options, cores int) (*fleet, error) {
	f := &fleet{}
	if err := f.startWasgi(ctx, opt); err != nil {
		return f, err
	}
	for _, app := range opt.apps {
		for _, p := range peers(opt, app, cores) {
			if err := f.startPeer(ctx, opt, app, p); err != nil {
				return f, err
			}
		}
	}
	for _, t := range f.targets {
		if err := waitFor(ctx, t.url); err != nil {
			return f, fmt.Errorf("%s with %s: %w; see the logs in %s", t.server, t.app, err, opt.work)
		}
	}
	return f, nil
}

// peer is a server outside wasgi and its command line for one address.
type peer struct {
	name string
	args func(addr string) []string
}

func peers(opt options, app string, cores int) []peer {
	bin := func(name string) string { return filepath.Join(opt.work, "venv", "bin", name) }
	n := strconv.Itoa(cores)
	gunicorn := func(class string, more ...string) func(string) []string {
		return func(addr string) []string {
			return append([]string{bin("gunicorn"), "-b", addr, "-w", n, "-k", class, "--chdir", appDir(app), "app:application"}, more...)
		}
	}
	return []peer{
		{"gunicorn sync", gunicorn("sync")},
		{"gunicorn gthread", gunicorn("gthread", "--threads", "4")},
		{"uWSGI", func(addr string) []string {
			return []string{
				bin("uwsgi"), "--http11-socket", addr, "--master", "--processes", n, "--disable-logging",
				"--listen", "100", "--chdir", appDir(app), "--module", "app:application", "--venv", filepath.Join(opt.work, "venv"),
			}
		}},
	}
}

func (f *fleet) startPeer(ctx context.Context, opt options, app string, p peer) error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	if err := f.start(ctx, opt, p.name+"-"+app, p.args(addr)); err != nil {
		return err
	}
	f.targets = append(f.targets, target{p.name, app, "http://" + addr + "/"})
	return nil
}

// startWasgi serves each application twice, as reuse and as fresh, from one
// process.
func (f *fleet) startWasgi(ctx context.Context, opt options) error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	root := filepath.Join(opt.work, "root")
	for _, app := range opt.apps {
		for _, isolation := range []string{"reuse", "fresh"} {
			name := app + "-" + isolation
			if err := copyApp(filepath.Join(root, name), app, isolation); err != nil {
				return err
			}
			f.targets = append(f.targets, target{"wasgi " + isolation, app, "http://" + addr + "/" + name + "/"})
		}
	}
	args := []string{opt.binary, "serve", "--root", root, "--listen", addr, "--admin-listen", "", "--state-dir", filepath.Join(opt.work, "state"), "--access-log", "off"}
	return f.start(ctx, opt, "wasgi", args)
}

func copyApp(dir, app, isolation string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS(appDir(app))); err != nil {
		return err
	}
	toml := "isolation = \"" + isolation + "\"\n[warmup]\npaths = [\"/\"]\n"
	return os.WriteFile(filepath.Join(dir, "wasgi.toml"), []byte(toml), 0o644)
}

func (f *fleet) start(ctx context.Context, opt options, name string, args []string) error {
	log, err := os.Create(filepath.Join(opt.work, name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Stdout, c.Stderr = log, log
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	if err := c.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	f.procs = append(f.procs, c)
	return nil
}

func (f *fleet) stop() {
	for _, c := range f.procs {
		// Its own exit is of no interest any more.
		_ = c.Process.Signal(syscall.SIGINT)
	}
	for _, c := range f.procs {
		_ = c.Wait()
	}
	f.procs = nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// waitFor asks until the server answers the expected page, for two minutes at
// most (a first start resolves dependencies).
func waitFor(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		if last = probe(ctx, url); last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return last
		case <-tick.C:
		}
	}
}

func probe(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || string(body) != "Hello, world!\n" {
		return fmt.Errorf("%s answered %s: %q", url, resp.Status, body)
	}
	return nil
}
