package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// hostStart is from the start of the program to the first right answer.
const hostStart = "host start to first byte"

// coldPart starts hosts again and again. Code is compiled and snapshots are on
// disk, as after a reboot with a warm page cache.
func coldPart(ctx context.Context, b *bench, s *section) error {
	s.note("From exec to the end of the first answer; compiled code and snapshots are on disk and in the page cache.")
	for _, name := range []string{"bare", "flask"} {
		a := helloApp(name, "")
		if err := b.warmDisk(ctx, a); err != nil {
			return err
		}
		for range b.opt.rounds {
			b.coldRound(ctx, a, s)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// coldRoot is a host with one application that prepares nothing at start.
func (b *bench) coldRoot(a app) (root, state string) {
	return filepath.Join(b.opt.work, "roots", "cold-"+a.name), filepath.Join(b.opt.work, "state", "cold-"+a.name)
}

// warmDisk starts the host once, so that everything that it keeps is there.
func (b *bench) warmDisk(ctx context.Context, a app) error {
	root, _ := b.coldRoot(a)
	if err := clearDir(root); err != nil {
		return err
	}
	if err := b.copyTenant(filepath.Join(root, "reuse"), a, "reuse"); err != nil {
		return err
	}
	_, err := b.wasgiStart(ctx, a, wasgiPatience)
	return err
}

func (b *bench) coldRound(ctx context.Context, a app, s *section) {
	starts := map[string]func() (time.Duration, error){
		reuse: func() (time.Duration, error) { return b.wasgiStart(ctx, a, peerPatience) },
	}
	for _, p := range b.peers() {
		starts[p.name] = func() (time.Duration, error) { return b.peerStart(ctx, a, p) }
	}
	for _, name := range b.serverNames() {
		start, ok := starts[name]
		if !ok {
			continue
		}
		b.show.doing("%s, %s", a.name, name)
		took, err := start()
		if err != nil {
			s.fault("%s, %s: %v", a.name, name, err)
			continue
		}
		s.add(figure{What: hostStart + ", " + a.name, Server: name, Unit: "ms"}, ms(took))
	}
}

// serverNames is the order of the tables.
func (b *bench) serverNames() []string {
	names := []string{reuse, fresh}
	for _, p := range b.peers() {
		names = append(names, p.name)
	}
	return names
}

func (b *bench) wasgiStart(ctx context.Context, a app, patience time.Duration) (time.Duration, error) {
	root, state := b.coldRoot(a)
	begin := time.Now()
	p, addr, err := b.serve("wasgi-cold-"+a.name, root, state)
	if err != nil {
		return 0, err
	}
	return firstAnswer(ctx, p, a, "http://"+addr+"/reuse/", begin, patience)
}

func (b *bench) peerStart(ctx context.Context, a app, peer peer) (time.Duration, error) {
	addr, err := freeAddr()
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	p, err := b.start(peer.name+"-cold-"+a.name, b.appDir(a.name), peer.args(addr))
	if err != nil {
		return 0, err
	}
	return firstAnswer(ctx, p, a, "http://"+addr+"/", begin, peerPatience)
}

// firstAnswer waits for it and ends the server.
func firstAnswer(ctx context.Context, p *process, a app, url string, begin time.Time, patience time.Duration) (time.Duration, error) {
	defer p.stop()
	ctx, cancel := p.alive(ctx)
	defer cancel()
	if err := waitFor(ctx, a, url, patience, time.Millisecond); err != nil {
		return 0, fmt.Errorf("%w; its log ends with: %s", err, p.lastWords())
	}
	return time.Since(begin), nil
}
