package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wasgi/wasgi/host/accesslog"
	"github.com/wasgi/wasgi/host/admin"
	"github.com/wasgi/wasgi/host/giveway"
	"github.com/wasgi/wasgi/host/listen"
	"github.com/wasgi/wasgi/host/watch"
	"github.com/wasgi/wasgi/tenants"
)

// Phases of a host, for readiness.
const (
	phaseStarting int32 = iota
	phaseServing
	phaseDraining
)

// Serve opens the listeners and serves until ctx ends; then it refuses new
// connections, lets running requests end within Config.DrainTimeout, kills the
// rest and returns nil. Any other end is an error. It must be called once.
func (h *Host) Serve(ctx context.Context) error {
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), h.cfg.Slots)) // see DESIGN.md
	if err := giveway.LetTimersBeLate(); err != nil {
		h.log.Debug("the scheduler looks after its threads more often than it has to", "err", err)
	}
	err := errors.Join(h.serve(ctx), h.closeDeployer())
	if closing := h.maker.close(context.WithoutCancel(ctx)); closing != nil {
		err = errors.Join(err, fmt.Errorf("freeing the guest: %w", closing))
	}
	return errors.Join(err, closeState(h.state))
}

func (h *Host) serve(ctx context.Context) error {
	if err := h.openState(ctx); err != nil {
		return err
	}
	s, err := h.open(ctx)
	if err != nil {
		return err
	}
	defer s.closeLogs()
	sites, stopSites := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSites()
	defer func() { stopSites(); h.fleet.close(ctx) }()
	if h.deployer != nil {
		h.deployer.start(sites)
	}
	if err := h.fleet.start(sites); err != nil {
		return errors.Join(err, s.closeListeners())
	}
	go h.fleet.relieve(sites)   // ends with the sites
	go newTrimmer().trim(sites) // and so does this
	if h.deployer != nil {
		h.fleet.running.Go(func() { h.cron.run(sites) }) // ends with the sites
	}
	h.fleet.running.Go(h.reserveFiles)
	h.fleet.running.Go(func() { h.fleet.doze(sites) })      // ends with the sites
	h.fleet.running.Go(func() { h.fleet.readAhead(sites) }) // ends with the sites
	h.fleet.running.Go(func() { h.fleet.learn(sites) })     // ends with the sites
	h.fleet.running.Go(func() { h.fleet.keepSpare(sites) }) // ends with the sites
	if err := h.takeOver(ctx, s); err != nil {
		return errors.Join(err, s.closeListeners())
	}
	s.sites = sites
	h.serving.Store(s)
	defer h.serving.Store(nil)
	h.phase.Store(phaseServing)
	notify("READY=1")
	return s.run(ctx, stopSites, sites)
}

// service is what Serve has opened.
type service struct {
	host      *Host
	client    *http.Server
	admin     *http.Server   // nil for none
	listeners []net.Listener // the clients'
	watcher   *watch.Watcher // nil when nothing is watched
	closeLogs func()

	sockets   *sockets
	unread    unread
	handed    chan struct{}  // closed when another process has taken over
	front     *front         // the first one
	accessOut io.WriteCloser // guarded by Host.reloading once requests are served
	sites     context.Context

	adminListener net.Listener // nil for none
	api           *apiServer   // nil for none
	console       *webConsole  // nil for none
}

func (h *Host) open(ctx context.Context) (s *service, err error) {
	s = &service{host: h, closeLogs: func() {}, handed: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closeListeners())
			s.closeLogs()
		}
	}()
	var format accesslog.Format
	if s.accessOut, format, err = openAccessLog(h.cfg); err != nil {
		return s, err
	}
	access := accesslog.New(s.accessOut, format, h.log)
	s.closeLogs = func() { access.Close(); _ = s.accessOut.Close() }
	tracer, err := newTracer(ctx, h.cfg, h.version, h.log)
	if err != nil {
		return s, err
	}
	front, err := newFront(h.cfg, h.fleet, h.log, access)
	if err != nil {
		return s, err
	}
	front.tracer, s.front = tracer, front
	s.closeLogs = func() {
		front.behind.Wait()
		access.Close()
		_ = s.accessOut.Close()
		closeTracer(tracer)
		front.orders.Close()
	}
	s.client = front.server()
	s.client.ConnState = s.watchConnection
	if err := s.listen(ctx, front); err != nil {
		return s, err
	}
	if err := s.openAPI(ctx, front); err != nil {
		return s, err
	}
	h.legacy.Rest() // what the settings do not name any more
	s.watcher = h.watcher()
	return s, nil
}

// watchConnection is http.Server.ConnState. After the last handler of a connection,
// whatever became of that, its slot and its lease end here at the latest: of
// package tls only the first Close gets below, and that may have been in a handler.
func (s *service) watchConnection(c net.Conn, state http.ConnState) {
	s.unread.watch(c, state)
	if state == http.StateClosed {
		listen.Waits(c)
	}
}

func (s *service) listen(ctx context.Context, front *front) error {
	h := s.host
	sockets, unused, err := openSockets(ctx, h.cfg, h.legacy)
	if err != nil {
		return err
	}
	for _, name := range unused {
		h.log.Warn("a socket that systemd passed is not used: name it in listen", "name", name)
	}
	s.sockets = sockets
	clients, err := front.entrance(sockets.client)
	if err != nil {
		return errors.Join(err, sockets.close())
	}
	s.listeners = clients
	for i, l := range sockets.client {
		at := origin{l.Addr(), l.tls}
		if i == 0 {
			h.fleet.origin.Store(&at)
		}
		h.events.emit(Event{Kind: EventListening, URL: at.url("")})
	}
	if s.adminListener = sockets.admin; s.adminListener == nil {
		return nil
	}
	s.admin = &http.Server{
		Handler: admin.Handler(h.readiness, h.metricsHandler()), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 4096, ErrorLog: s.client.ErrorLog,
	}
	return nil
}

func (s *service) closeListeners() error {
	errs := []error{closeAll(s.listeners), s.api.close()}
	if s.adminListener != nil {
		errs = append(errs, s.adminListener.Close())
	}
	return errors.Join(errs...)
}

// watcher is nil when nothing is to be watched or nothing can be: then changes
// need a restart, and the log says so.
func (h *Host) watcher() *watch.Watcher {
	if !h.cfg.Watch && !h.cfg.Dev {
		return nil
	}
	w, err := watch.New(watch.Config{
		Root: h.cfg.Root, One: h.cfg.Dev, Touched: tenants.IsManifest, Ignored: tenants.Ignored,
		Settle: func() time.Duration { return h.fleet.cfg.now().WatchSettle }, Log: h.log,
	})
	if err != nil {
		h.log.Error("changes of applications are not noticed: restart to load them", "error", err)
		return nil
	}
	return w
}

// metricsHandler is nil when nothing is counted.
func (h *Host) metricsHandler() http.Handler {
	if h.fleet.metrics == nil || !h.cfg.Metrics {
		return nil
	}
	return h.fleet.metrics.Handler()
}

// readiness is nil while the host should get traffic.
func (h *Host) readiness() error {
	switch h.phase.Load() {
	case phaseStarting:
		return errors.New("starting")
	case phaseDraining:
		return errors.New("draining")
	default:
		return h.fleet.settled()
	}
}

// run serves until ctx ends or a listener fails, and then takes everything down
// in order: traffic, requests, tenants, probes.
func (s *service) run(ctx context.Context, stopSites func(), sites context.Context) error {
	group, failing := errgroup.WithContext(ctx)
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	for _, l := range s.listeners {
		group.Go(func() error { return s.ending(s.client.Serve(l)) })
	}
	if s.admin != nil {
		group.Go(func() error { return serving(s.admin.Serve(s.adminListener)) })
	}
	if s.api != nil {
		group.Go(s.api.serve)
	}
	if s.console != nil {
		group.Go(func() error { s.console.history.Run(watching); return nil })
	}
	if s.watcher != nil {
		group.Go(func() error {
			return s.watcher.Run(watching, func(names []string) { s.host.fleet.look(sites, names) })
		})
	}
	group.Go(func() error {
		select {
		case <-failing.Done():
		case <-s.handed:
		}
		stopWatching()
		s.drain(context.WithoutCancel(ctx), stopSites)
		return nil
	})
	return group.Wait()
}

// serving makes the regular end of a server none.
func serving(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// drain ends the service within DrainTimeout and a short grace.
func (s *service) drain(ctx context.Context, stopSites func()) {
	h := s.host
	if !s.handedOver() { // quiesce does it then, when nobody can be on the way any more
		s.client.SetKeepAlivesEnabled(false) // before anybody can see that the host drains, and whatever the API takes to end
	}
	if h.phase.Swap(phaseDraining) != phaseDraining { // after a handover the service goes on
		notify("STOPPING=1")
	}
	ctx, cancel := context.WithTimeout(ctx, h.cfg.DrainTimeout)
	defer cancel()
	s.console.close()
	s.api.stop(ctx)
	if s.handedOver() {
		s.quiesce(ctx)
	}
	if err := s.client.Shutdown(ctx); err != nil {
		h.log.Warn("requests were still running at the end of drain_timeout: killed")
	}
	stopSites()
	h.fleet.close(ctx)
	// What is left now are connections without a guest: nobody waits for them.
	_ = s.client.Close()
	if s.admin != nil {
		_ = s.admin.Close()
	}
}
