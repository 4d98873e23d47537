package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// The figures of many tenants.
const (
	asleepFirst = "asleep to first answer"
	awakeNext   = "awake, the next answer"
	hostAlone   = "the host alone: an address of no tenant"
	aboveEmpty  = "resident memory above an empty host"
)

// tenantSize is what folder, release and snapshot of a tenant take on disk, and
// some more.
func tenantSize(app string) uint64 {
	switch app {
	case "bare":
		return 7 * mib
	case "bottle":
		return 12 * mib
	default:
		return 24 * mib
	}
}

// crowd is a root with many tenants.
type crowd struct {
	b           *bench
	name        string
	root, state string
	apps        []string // of each tenant
}

func (b *bench) newCrowd(name string, apps []string) *crowd {
	return &crowd{b, name, filepath.Join(b.opt.work, "roots", name), filepath.Join(b.opt.work, "state", name), apps}
}

func (c *crowd) tenant(i int) string { return fmt.Sprintf("t%05d", i) }

// make writes all folders anew.
func (c *crowd) make(ctx context.Context) error {
	if err := errors.Join(clearDir(c.root), clearDir(c.state)); err != nil {
		return err
	}
	if err := roomFor(c.root, c.apps); err != nil {
		return err
	}
	for i, name := range c.apps {
		c.b.show.doing("folder %d of %d", i+1, len(c.apps))
		if err := c.b.bundle(ctx, name, filepath.Join(c.root, c.tenant(i))); err != nil {
			return err
		}
	}
	return nil
}

// remove frees the disk, however the part ended: it may be a lot.
func (c *crowd) remove(s *section) {
	if err := errors.Join(os.RemoveAll(c.root), os.RemoveAll(c.state)); err != nil {
		s.fault("%v", err)
	}
}

// roomFor refuses to fill the disk.
func roomFor(dir string, apps []string) error {
	var free syscall.Statfs_t
	if err := syscall.Statfs(dir, &free); err != nil {
		return err
	}
	have, want := free.Bavail*uint64(free.Bsize), uint64(0)
	for _, a := range apps {
		want += tenantSize(a)
	}
	if have < want {
		return fmt.Errorf("%d tenants may need %d GiB of disk below %s and %d are free: choose fewer tenants or another --work", len(apps), want>>30, dir, have>>30)
	}
	return nil
}

// serve starts a host and waits until it serves all. The time is from exec to
// the last tenant's word in the log.
func (c *crowd) serve(ctx context.Context) (*process, string, time.Duration, error) {
	begin := time.Now()
	p, addr, err := c.b.serve("wasgi-"+c.name, c.root, c.state, "--builders", strconv.Itoa(c.b.cores))
	if err != nil {
		return nil, "", 0, err
	}
	if err := c.allServe(ctx, p); err != nil {
		p.stop()
		return nil, "", 0, fmt.Errorf("%w; the host's log ends with: %s", err, p.lastWords())
	}
	return p, addr, time.Since(begin), nil
}

// stalled is how long no further tenant may come to serve.
const stalled = 3 * time.Minute

// allServe reads the log until every tenant is in it.
func (c *crowd) allServe(ctx context.Context, p *process) error {
	alive, cancel := p.alive(ctx)
	defer cancel()
	for served, since := 0, time.Now(); served < len(c.apps); {
		select {
		case <-alive.Done():
			return fmt.Errorf("the host ended with %d of %d tenants", served, len(c.apps))
		case <-time.After(200 * time.Millisecond):
		}
		text, err := os.ReadFile(p.log)
		if err != nil {
			return err
		}
		if n := bytes.Count(text, []byte(" msg=serving tenant=")); n > served {
			served, since = n, time.Now()
			c.b.show.doing("%d of %d tenants serve", served, len(c.apps))
		}
		if time.Since(since) > stalled {
			return fmt.Errorf("%d of %d tenants serve, and no further one for %v", served, len(c.apps), stalled)
		}
	}
	return nil
}

// twice starts the host to make the snapshots, and again with them on disk. Between
// is called while the first one serves.
func (c *crowd) twice(ctx context.Context, s *section, between func(addr string) error) (*process, string, error) {
	p, addr, took, err := c.serve(ctx)
	if err != nil {
		return nil, "", err
	}
	err = between(addr)
	p.stop()
	if err != nil {
		return nil, "", err
	}
	s.add(figure{What: "host start until all serve, nothing on disk", Unit: "s"}, took.Seconds())
	p, addr, took, err = c.serve(ctx)
	if err != nil {
		return nil, "", err
	}
	s.add(figure{What: "host start until all serve, snapshots on disk", Unit: "s"}, took.Seconds())
	return p, addr, nil
}

// mixed is seven tenants of ten bare, two with Bottle, one with Flask.
func mixed(n int) []string {
	var out []string
	for i := range n {
		switch i % 10 {
		case 0:
			out = append(out, "flask")
		case 1, 2:
			out = append(out, "bottle")
		default:
			out = append(out, "bare")
		}
	}
	return out
}

// tenantsPart wakes every tenant once, in random order.
func tenantsPart(ctx context.Context, b *bench, s *section) error {
	c := b.newCrowd("tenants", mixed(b.opt.tenants))
	s.note("%d tenants, of ten seven bare, two Bottle, one Flask, packages inside; no instance lives before its request. One request after the other, each on a new connection. Each tenant has answered one request before the host was started again, as tenants have that fell asleep. Their snapshots have just been read, so that they are in the page cache.", len(c.apps))
	s.note("An awake tenant's answer is asked for in the same way, when all have answered once and another thousand requests have gone by.")
	defer c.remove(s)
	if err := c.make(ctx); err != nil {
		return err
	}
	p, addr, err := c.twice(ctx, s, func(addr string) error {
		_, _, err := c.wakeAll(ctx, addr)
		return err
	})
	if err != nil {
		return err
	}
	defer p.stop()
	if err := c.residence(p, s, "resident memory, all asleep"); err != nil {
		return err
	}
	if err := c.wakeFirst(ctx, p, addr, s); err != nil {
		return err
	}
	if err := c.residence(p, s, "resident memory, after the requests"); err != nil {
		return err
	}
	return errors.Join(c.wakes(ctx, addr, awakeNext, s), c.nobody(ctx, addr, s))
}

// wakeFirst has all answer for the first time, from snapshots in the page cache.
func (c *crowd) wakeFirst(ctx context.Context, p *process, addr string, s *section) error {
	if err := readBack(c.state); err != nil {
		return err
	}
	pages, err := touchNew(s, firstTouch)
	if err != nil {
		return err
	}
	before, err := diskReads(p.pid())
	if err != nil {
		return err
	}
	// The pages are kept until all have answered, who would get them otherwise.
	err = errors.Join(c.wakes(ctx, addr, asleepFirst, s), pages.again(s))
	after, failed := diskReads(p.pid())
	s.add(figure{What: fromDisk, Unit: "MiB"}, (after-before)/mib)
	return errors.Join(err, failed)
}

// wakes has every tenant answer once, and adds how long that took.
func (c *crowd) wakes(ctx context.Context, addr, what string, s *section) error {
	waits, wrong, err := c.wakeAll(ctx, addr)
	if err != nil {
		return err
	}
	for _, name := range helloNames() {
		if len(waits[name]) > 0 {
			addQuantiles(s, what, name, waits[name])
			s.add(figure{What: what + ", longest", Server: name, Unit: "ms"}, quantile(waits[name], 1))
		}
	}
	s.add(figure{What: what + ", wrong answers"}, float64(wrong))
	return nil
}

// nobody asks for what there is not, as often as there are tenants: the rest of each
// of their answers is the application's.
func (c *crowd) nobody(ctx context.Context, addr string, s *section) error {
	a := app{name: "nobody", status: http.StatusNotFound, check: func([]byte) error { return nil }}
	var waits []float64
	for range c.apps {
		begin := time.Now()
		if err := verify(ctx, a, "http://"+addr+"/nobody/"); err != nil {
			return err
		}
		waits = append(waits, ms(time.Since(begin)))
	}
	addQuantiles(s, hostAlone, "", waits)
	return nil
}

func (c *crowd) residence(p *process, s *section, what string) error {
	rss, err := settledMemory(p.pid())
	s.add(figure{What: what, Unit: "MiB"}, rss/mib)
	return err
}

// wakeAll has every tenant answer once, in random order, and returns how long each
// took, in ms, by application.
func (c *crowd) wakeAll(ctx context.Context, addr string) (waits map[string][]float64, wrong int, err error) {
	order := rand.New(rand.NewPCG(5, 1000)).Perm(len(c.apps))
	waits = map[string][]float64{}
	for n, i := range order {
		c.b.show.doing("request %d of %d", n+1, len(order))
		begin := time.Now()
		err := verify(ctx, helloApp(c.apps[i], ""), "http://"+addr+"/"+c.tenant(i)+"/")
		if ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		if err != nil {
			wrong++
			continue
		}
		waits[c.apps[i]] = append(waits[c.apps[i]], ms(time.Since(begin)))
	}
	return waits, wrong, nil
}

// idlePart compares a host with many sleeping tenants with an empty one.
func idlePart(ctx context.Context, b *bench, s *section) error {
	empty := b.newCrowd("empty", nil)
	if err := empty.make(ctx); err != nil {
		return err
	}
	before, err := empty.restingMemory(ctx)
	if err != nil {
		return err
	}
	c := b.newCrowd("idle", bareOnly(b.opt.idle))
	s.note("%d bare tenants, snapshots on disk, no request made. Resident memory once it stands still.", len(c.apps))
	defer c.remove(s)
	if err := c.make(ctx); err != nil {
		return err
	}
	p, _, err := c.twice(ctx, s, func(string) error { return nil })
	if err != nil {
		return err
	}
	defer p.stop()
	after, err := settledMemory(p.pid())
	if err != nil {
		return err
	}
	private, err := memoryOf(strconv.Itoa(p.pid()), "Private_Dirty")
	if err != nil {
		return err
	}
	s.add(figure{What: "tenants"}, float64(len(c.apps)))
	s.add(figure{What: "resident memory, empty host", Unit: "MiB"}, before/mib)
	s.add(figure{What: aboveEmpty, Unit: "MiB"}, (after-before)/mib)
	s.add(figure{What: "of all resident memory: private and written to", Unit: "MiB"}, private/mib)
	s.add(figure{What: aboveEmpty + ", for each tenant", Unit: "KiB"}, (after-before)/1024/float64(len(c.apps)))
	return nil
}

func (c *crowd) restingMemory(ctx context.Context) (float64, error) {
	p, addr, _, err := c.serve(ctx)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	alive, cancel := p.alive(ctx)
	defer cancel()
	if err := awaitPort(alive, addr, 50*time.Millisecond); err != nil {
		return 0, fmt.Errorf("%w; its log ends with: %s", err, p.lastWords())
	}
	return settledMemory(p.pid())
}

func bareOnly(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "bare"
	}
	return out
}

// settledMemory is the resident memory once it has stood still for 40 seconds,
// or after three minutes: a host that is quiet gives memory back twice a minute.
func settledMemory(pid int) (float64, error) {
	last, still := 0.0, 0
	for range 90 {
		rss, err := memoryOf(strconv.Itoa(pid), "Rss")
		if err != nil {
			return 0, err
		}
		if still++; rss < 0.995*last || rss > 1.005*last {
			last, still = rss, 0
		}
		if still == 20 {
			return rss, nil
		}
		time.Sleep(2 * time.Second)
	}
	return last, nil
}
