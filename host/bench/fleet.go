package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// How long a server may take to answer for the first time. wasgi may have to
// compile the guest and to install packages before.
const (
	peerPatience  = 30 * time.Second
	wasgiPatience = 2 * time.Minute
)

// server is one of those that are compared.
type server struct {
	name string
	url  string // of the request
	proc *process
}

// fleet is every server that one part compares.
type fleet struct {
	servers []server
	procs   []*process
}

func (f *fleet) stop() {
	for _, p := range f.procs {
		p.stop()
	}
	f.procs = nil
}

// startFleet starts wasgi and the peers with one application. What does not
// start, or answers wrongly, is a fault and left out.
func (b *bench) startFleet(ctx context.Context, a app, peers []peer, s *section) *fleet {
	f := &fleet{}
	if err := b.addWasgi(ctx, f, a, b.cores); err != nil {
		s.fault("wasgi: %v", err)
	}
	for _, p := range peers {
		if err := b.addPeer(ctx, f, a, p); err != nil {
			s.fault("%s: %v", p.name, err)
		}
	}
	return f
}

func (b *bench) addPeer(ctx context.Context, f *fleet, a app, p peer) error {
	b.show.doing("starting %s", p.name)
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	proc, err := b.start(p.name+"-"+a.name, b.appDir(a.name), p.args(addr))
	if err != nil {
		return err
	}
	f.procs = append(f.procs, proc)
	return f.ready(ctx, a, server{p.name, "http://" + addr + "/" + a.path, proc}, peerPatience)
}

// ready adds a server once its answer is right.
func (f *fleet) ready(ctx context.Context, a app, s server, patience time.Duration) error {
	ctx, cancel := s.proc.alive(ctx)
	defer cancel()
	if err := waitFor(ctx, a, s.url, patience, 50*time.Millisecond); err != nil {
		return fmt.Errorf("%w; its log ends with: %s", err, s.proc.lastWords())
	}
	f.servers = append(f.servers, s)
	return nil
}

// addWasgi serves the application twice, as reuse and as fresh, from one
// process.
func (b *bench) addWasgi(ctx context.Context, f *fleet, a app, slots int) error {
	b.show.doing("starting wasgi")
	name := fmt.Sprintf("wasgi-%s-%d", a.name, slots)
	root, state := filepath.Join(b.opt.work, "roots", name), filepath.Join(b.opt.work, "state", name)
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	for _, isolation := range []string{"reuse", "fresh"} {
		err := errors.Join(b.copyTenant(filepath.Join(root, isolation), a, isolation), b.copyData(filepath.Join(state, "data", isolation), a))
		if err != nil {
			return err
		}
	}
	proc, addr, err := b.serve(name, root, state, "--slots", fmt.Sprint(slots))
	if err != nil {
		return err
	}
	f.procs = append(f.procs, proc)
	for _, isolation := range []string{"reuse", "fresh"} {
		url := "http://" + addr + "/" + isolation + "/" + a.path
		if err := f.ready(ctx, a, server{"wasgi " + isolation, url, proc}, wasgiPatience); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) copyTenant(dir string, a app, isolation string) error {
	if err := os.CopyFS(dir, os.DirFS(b.appDir(a.name))); err != nil {
		return err
	}
	warmup := ""
	if a.upload == 0 {
		warmup = fmt.Sprintf("[warmup]\npaths = [\"/%s\"]\n", a.path)
	}
	toml := fmt.Sprintf("isolation = %q\n[instances]\nqueue = 2000\n%s", isolation, warmup)
	if a.data != "" {
		toml += fmt.Sprintf("[env]\nBENCH_DB = %q\n", "/data/"+a.data)
	}
	return os.WriteFile(filepath.Join(dir, "wasgi.toml"), []byte(toml), 0o644)
}

// copyData puts the application's file where the guest sees it as /data.
func (b *bench) copyData(dir string, a app) error {
	if a.data == "" {
		return nil
	}
	content, err := os.ReadFile(filepath.Join(b.appDir(a.name), a.data))
	if err != nil {
		return err
	}
	return errors.Join(clearDir(dir), os.WriteFile(filepath.Join(dir, a.data), content, 0o644))
}

// serve starts wasgi. Its queue is as long as that of the peers, and all
// connections of a load come from one address.
func (b *bench) serve(name, root, state string, more ...string) (*process, string, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, "", err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, "", err
	}
	args := append([]string{
		b.opt.binary, "serve", "--root", root, "--listen", addr, "--admin-listen", "", "--state-dir", state,
		"--cache-dir", filepath.Join(b.opt.work, "cache"), "--access-log", "off",
		"--queue-length", "2000", "--max-connections-per-address", "0",
	}, more...)
	p, err := b.start(name, b.opt.work, args)
	return p, addr, err
}

// awaitPort waits until somebody listens.
func awaitPort(ctx context.Context, addr string, pause time.Duration) error {
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
