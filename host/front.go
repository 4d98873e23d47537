package host

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/wasgi/wasgi/host/accesslog"
	"github.com/wasgi/wasgi/host/acme"
	"github.com/wasgi/wasgi/host/certs"
	"github.com/wasgi/wasgi/host/compress"
	"github.com/wasgi/wasgi/host/edge"
	"github.com/wasgi/wasgi/host/framing"
	"github.com/wasgi/wasgi/host/listen"
	"github.com/wasgi/wasgi/host/pool"
	"github.com/wasgi/wasgi/host/spool"
	"github.com/wasgi/wasgi/host/trace"
)

// front is the client side: what every request shares.
type front struct {
	cfg     Config
	fleet   *fleet
	log     *slog.Logger
	access  *accesslog.Log // nil is off
	tracer  *trace.Tracer  // nil is off
	spool   *spool.Spooler
	encoder *edge.Encoder
	proxies *edge.Proxies
	limits  edge.Limits
	options edge.Options

	encoders *compress.Encoders // nil for none
	store    *certs.Store       // nil without files
	orders   *acme.Manager      // nil for none
	entry    http.Handler
	live     *atomic.Pointer[front] // the one that serves: a reload makes another
	streams  *listen.Gate           // of HTTP/2, all connections together
	behind   *sync.WaitGroup        // what goes on beside answers, to the access log
}

func newFront(c Config, f *fleet, log *slog.Logger, access *accesslog.Log) (*front, error) {
	spooler, err := spool.New(spool.Config{
		Memory: int64(c.SpoolMemory), MemoryTotal: int64(c.SpoolMemoryTotal), DiskTotal: int64(c.SpoolDiskTotal),
		Dir: c.StateDir, // the system's own folder may be memory
	})
	if err != nil {
		return nil, err
	}
	responses, err := spool.New(spool.Config{
		Memory: int64(c.SpoolMemory), MemoryTotal: int64(c.ResponseMemoryTotal), DiskTotal: int64(c.SpoolDiskTotal),
		Dir: c.StateDir,
	})
	if err != nil {
		return nil, err
	}
	out := &front{
		fleet: f, log: log, access: access, spool: spooler, encoder: edge.NewEncoder(), behind: new(sync.WaitGroup),
		options: edge.Options{Keep: keepIn(responses), Phrase: framing.Phrase}, live: new(atomic.Pointer[front]),
	}
	if err := out.set(c); err != nil {
		return nil, err
	}
	out.streams = listen.NewGate(out.streamLimits())
	out.live.Store(out)
	return out, nil
}

// set is the part of a front that its settings make.
func (f *front) set(c Config) (err error) {
	if f.proxies, err = proxiesOf(c); err != nil {
		return err
	}
	f.limits = edge.Limits{Headers: c.MaxHeaders, Line: int(c.MaxLine)}
	f.options.Buffer, f.options.Server = int(c.ResponseBuffer), c.ServerHeader
	if c.Compressors != f.cfg.Compressors {
		if f.encoders = nil; c.Compressors > 0 {
			f.encoders = compress.New(c.Compressors)
		}
	}
	f.cfg = c
	f.entry = f.handler()
	return nil
}

// successor is a front with other settings, which shares everything else. It
// serves when it is stored in live.
func (f *front) successor(c Config) (*front, error) {
	next := *f
	if err := next.set(c); err != nil {
		return nil, err
	}
	if err := next.openCertificates(); err != nil {
		return nil, err
	}
	return &next, nil
}

// bodyShares: one tenant's bodies may take a fourth of what all have, so that
// requests that wait for one application keep nobody else's out.
const bodyShares = 4

// bodies is where the bodies for one tenant are received.
func (f *front) bodies(s *site) *spool.Spooler {
	s.share.Do(func() { s.bodies = f.spool.Share(bodyShares, int64(f.cfg.MaxBody)) })
	return s.bodies
}

// keepIn is where responses wait for a client that is slower than its guest.
func keepIn(s *spool.Spooler) edge.Keep {
	return func(body []byte) (io.ReadCloser, error) { return s.Keep(body) }
}

// handler composes the way of a request. Echo routes every method and path to
// one handler, which is put together here: Echo would do it again for each request.
func (f *front) handler() http.Handler {
	recovers := middleware.RecoverWithConfig(middleware.RecoverConfig{
		StackSize: 16 << 10, DisableStackAll: true, LogErrorFunc: f.panicked,
	})
	e := echo.New()
	e.RouteNotFound("/*", f.begin(f.observe(recovers(serve))))
	return anyPath(e)
}

// anyPath keeps the client's path from Echo's router: it belongs to the application,
// byte for byte.
func anyPath(next http.Handler) http.Handler {
	one := &url.URL{Path: "/"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL = one
		next.ServeHTTP(w, r)
	})
}

// begin makes the exchange that everything after it works on.
func (f *front) begin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error { return next(newExchange(f, c)) }
}

// observe writes the access log, counts and ends traces, also when the connection is to be
// aborted.
func (f *front) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		defer c.(*exchange).record()
		return next(c)
	}
}

// panicked answers after a fault of the host. nil keeps Echo from answering as
// well.
func (f *front) panicked(c echo.Context, err error, stack []byte) error {
	x := c.(*exchange)
	f.log.Error("panic while handling a request", "request_id", x.id, "error", err, "stack", string(stack))
	x.fail(err)
	x.complete()
	return nil
}

func serve(c echo.Context) error { return c.(*exchange).serve() }

// server is the HTTP server of the client listener.
func (f *front) server() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(f.cfg.HTTP2)
	protocols.SetUnencryptedHTTP2(f.cfg.H2C)
	return &http.Server{
		Handler:                      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.live.Load().entry.ServeHTTP(w, r) }),
		ReadHeaderTimeout:            f.cfg.HeaderTimeout,
		IdleTimeout:                  f.cfg.IdleTimeout,
		MaxHeaderBytes:               max(int(f.cfg.MaxHeaderBytes)-headerSlack, 1),
		DisableGeneralOptionsHandler: true,
		Protocols:                    protocols,
		HTTP2:                        http2Limits(f.cfg),
		ConnContext:                  connContext,
		ErrorLog:                     slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
	}
}

// connContext tells handlers what a connection is.
func connContext(ctx context.Context, c net.Conn) context.Context {
	return framing.Context(withTLS(withClient(ctx, c), c), c)
}

type clientKey struct{}

// client is the connection of one, for its handlers.
type client struct {
	pool.Seat // keeps the CPU slot of a request until the next one
	conn      net.Conn
}

func withClient(ctx context.Context, c net.Conn) context.Context {
	one := &client{conn: c}
	if !listen.BeforeWait(c, one.Leave) {
		return ctx
	}
	return context.WithValue(ctx, clientKey{}, one)
}

// clientOf is nil for none: the requests of HTTP/2 run beside each other, and who
// reads their connection does nothing else.
func clientOf(r *http.Request) *client {
	if r.ProtoMajor != 1 {
		return nil
	}
	one, _ := r.Context().Value(clientKey{}).(*client)
	return one
}

// seat is nil for none.
func (c *client) seat() *pool.Seat {
	if c == nil {
		return nil
	}
	return &c.Seat
}

// gone says whether the client has left. net/http learns of it 10 ms after a
// request began, at the earliest (see "Why is net/http patched?").
func (c *client) gone() bool { return c != nil && listen.Gone(c.conn) }

// headerSlack is what net/http adds to MaxHeaderBytes.
const headerSlack = 4096

// openAccessLog opens the file of the configured log; format is nil when it is
// off.
func openAccessLog(c Config) (out io.WriteCloser, format accesslog.Format, err error) {
	format = accesslog.Combined
	switch c.AccessLog {
	case "off":
		return keepOpen{io.Discard}, nil, nil
	case "json":
		format = accesslog.JSON
	}
	if out, err = openLog(c.AccessLogFile); err != nil {
		return nil, nil, fmt.Errorf("access_log_file: %w", err)
	}
	return out, format, nil
}

// record ends the answer.
func (x *exchange) record() {
	status := x.response.Status()
	if status == 0 {
		status = x.unsent
	}
	x.count(status)
	x.endTrace(status)
	if x.front.access.On() {
		x.describe(status)
		x.settle()
	}
}

// describe fills the access log's entry.
func (x *exchange) describe(status int) {
	r := x.Request()
	remote, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		remote = r.RemoteAddr
	}
	x.entry = &accesslog.Entry{
		Time: x.start, RequestID: x.id, Tenant: x.tenant, Remote: remote,
		Method: r.Method, URI: r.RequestURI, Proto: r.Proto, Host: r.Host,
		Status: status, Bytes: x.sent(), Duration: time.Since(x.start), Wait: x.wait, CPU: x.cpu, Received: x.received,
		Referer: r.Header.Get("Referer"), UserAgent: r.Header.Get("User-Agent"), TraceID: edge.TraceID(r.Header), Fault: x.fault,
	}
}

// settle is called when the answer has ended, and when an instance has been put
// back beside it. The last one writes the entry: only then its pages are known.
func (x *exchange) settle() {
	if x.parts.Add(-1) > 0 || x.entry == nil {
		return
	}
	x.entry.Pages = x.pages
	x.front.access.Write(x.entry)
}
