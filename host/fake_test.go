package host

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test: it is only reached by a test that fails.
const patience = 20 * time.Second

// fakeCall is a request as a guest sees it.
type fakeCall struct {
	ctx     context.Context
	environ map[string]string
	body    io.Reader
	to      sandbox.Responder
	version string // what the tenant's file said when it was built
}

func (c fakeCall) start(status int, headers ...string) error {
	h := abi.ResponseHead{Status: status}
	for i := 0; i < len(headers); i += 2 {
		h.Headers = append(h.Headers, abi.Pair{Key: headers[i], Value: headers[i+1]})
	}
	return c.to.Start(h)
}

// say is the whole response of most applications.
func (c fakeCall) say(status int, body string, headers ...string) error {
	if err := c.start(status, headers...); err != nil {
		return err
	}
	return c.to.Write([]byte(body), true)
}

type fakeApp func(c fakeCall) error

// fakeMaker makes guests whose application is a Go function. Its source is the
// tenant's wsgi.py, where a comment after "version:" is what they serve.
type fakeMaker struct {
	app      fakeApp
	mu       sync.Mutex
	building func(a application, version string) error // called by build, may be nil
	closed   int                                       // images
	made     int                                       // images
	restored int                                       // instances
	stores   bool                                      // images can be had again: it is a sleeper
	found    bool                                      // those of an earlier process are there
	waking   func(a application)                       // called by wake, may be nil
	lost     error                                     // why an image cannot be had again
	replaced bool                                      // others have taken the place of all images
	woken    int                                       // images that were
	read     int                                       // images that were verified
}

func (m *fakeMaker) prepare(_ context.Context, a application, progress func(string)) (tenants.Release, error) {
	progress("nothing to install")
	return tenants.Release{Tenant: a.tenant.Name}, nil
}

func (m *fakeMaker) build(_ context.Context, a application) (image, error) {
	text, err := os.ReadFile(filepath.Join(a.tenant.Dir, "wsgi.py"))
	if err != nil {
		return nil, err
	}
	_, version, _ := strings.Cut(strings.TrimSpace(string(text)), "version:")
	if m.building != nil {
		if err := m.building(a, version); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made++
	m.lost = nil // it is written anew
	return &fakeImage{m, version}, nil
}

// cannotImport is a fakeMaker.building by which a version fails.
func cannotImport(broken string) func(application, string) error {
	return func(_ application, version string) error {
		if version == broken {
			return &sandbox.Error{Kind: sandbox.KindException, Op: "load", Detail: "cannot import"}
		}
		return nil
	}
}

// find implements sleeper.
func (m *fakeMaker) find(application) (sandbox.Stored, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sandbox.Stored{Bytes: 4096}, m.found
}

// lies implements sleeper.
func (m *fakeMaker) lies(sandbox.Stored) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.replaced
}

// verify implements sleeper.
func (m *fakeMaker) verify(at sandbox.Stored) (sandbox.Stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.read++
	return at, m.lost
}

// wake implements sleeper: the version is the one that the release's fingerprint was
// taken of, because its files are read again only by tests that do not change them.
func (m *fakeMaker) wake(a application, _ sandbox.Stored) (image, error) {
	m.mu.Lock()
	lost := m.lost
	if m.waking != nil {
		m.waking(a)
	}
	m.mu.Unlock()
	if lost != nil {
		return nil, lost
	}
	text, err := os.ReadFile(filepath.Join(a.tenant.Dir, "wsgi.py"))
	if err != nil {
		return nil, err
	}
	_, version, _ := strings.Cut(strings.TrimSpace(string(text)), "version:")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made++
	m.woken++
	return &fakeImage{m, version}, nil
}

// sleep is what tests set and read of a sleeper.
func (m *fakeMaker) sleep(set func(*fakeMaker)) (woken, made int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if set != nil {
		set(m)
	}
	return m.woken, m.made
}

func (m *fakeMaker) close(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.made != m.closed {
		return errors.New("images are left open")
	}
	return nil
}

type fakeImage struct {
	maker   *fakeMaker
	version string
}

// Stored tells the host that the image lies on a disk.
func (i *fakeImage) Stored() (sandbox.Stored, bool) {
	i.maker.mu.Lock()
	defer i.maker.mu.Unlock()
	return sandbox.Stored{Bytes: 4096}, i.maker.stores
}

func (i *fakeImage) Restore(context.Context) (instance, error) {
	i.maker.mu.Lock()
	defer i.maker.mu.Unlock()
	i.maker.restored++
	return &fakeInstance{image: i, usable: true}, nil
}

func (i *fakeImage) Close() error {
	i.maker.mu.Lock()
	defer i.maker.mu.Unlock()
	i.maker.closed++
	return nil
}

type fakeInstance struct {
	image  *fakeImage
	usable bool
}

func (i *fakeInstance) Reset() error { return nil }
func (i *fakeInstance) Usable() bool { return i.usable }
func (i *fakeInstance) Close() error { return nil }

func (i *fakeInstance) Serve(ctx context.Context, q *sandbox.Request, to sandbox.Responder) error {
	pairs, err := abi.DecodeEnviron(q.Environ)
	if err != nil {
		return err
	}
	c := fakeCall{ctx: ctx, environ: map[string]string{}, body: q.Body, to: to, version: i.image.version}
	for _, p := range pairs {
		if _, twice := c.environ[p.Key]; twice {
			return errors.New("twice in the environ: " + p.Key)
		}
		c.environ[p.Key] = p.Value
	}
	err = i.image.maker.app(c)
	var e *sandbox.Error
	if errors.As(err, &e) && e.Kind != sandbox.KindException {
		i.usable = false
	}
	return err
}

// syncBuffer is a log that tests read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// running is a host under test.
type running struct {
	t      *testing.T
	host   *Host
	maker  *fakeMaker
	addr   string
	root   string
	access string
	log    *syncBuffer
	events chan Event
	cancel context.CancelFunc
	ended  chan error
}

// setup is what a test starts from.
type setup struct {
	app     fakeApp
	tenants []string // folders; "app" when empty
	edit    func(*Config)
	maker   func(*fakeMaker)
}

// start runs a host and returns when it listens.
func start(t *testing.T, s setup) *running {
	t.Helper()
	r := &running{
		t: t, root: t.TempDir(), access: filepath.Join(t.TempDir(), "access.log"), log: &syncBuffer{},
		events: make(chan Event, 1000), ended: make(chan error, 1), maker: &fakeMaker{app: s.app},
	}
	if len(s.tenants) == 0 {
		s.tenants = []string{"app"}
	}
	for _, name := range s.tenants {
		r.write(name, "1")
	}
	if s.maker != nil {
		s.maker(r.maker)
	}
	c := testConfig(t, r.root)
	c.AccessLogFile = r.access
	if s.edit != nil {
		s.edit(&c)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.host = newHost(c, r.maker, log, WithEvents(func(e Event) { r.events <- e }))
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() { r.ended <- r.host.Serve(ctx) }()
	t.Cleanup(r.stop)
	r.event(EventListening, "")
	r.addr = r.host.Addr().String()
	return r
}

func testConfig(t *testing.T, root string) Config {
	t.Helper()
	c, err := LoadConfig("", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Root, c.Listen, c.AdminListen = root, "127.0.0.1:0", ""
	c.StateDir, c.CacheDir = t.TempDir(), t.TempDir()
	c.Slots, c.WatchSettle, c.DrainTimeout = 4, 20*time.Millisecond, 10*time.Second
	return c
}

// write makes or changes a tenant.
func (r *running) write(name, version string) {
	r.t.Helper()
	dir := filepath.Join(r.root, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		r.t.Fatal(err)
	}
	text := "def application(environ, start_response): pass  # version:" + version + "\n"
	r.put(filepath.Join(dir, "wsgi.py"), text)
}

// put replaces a file in one step, so that no test depends on how soon a
// half-written one is looked at.
func (r *running) put(path, text string) {
	r.t.Helper()
	next := filepath.Join(filepath.Dir(path), ".next")
	if err := errors.Join(os.WriteFile(next, []byte(text), 0o644), os.Rename(next, path)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) manifest(name, text string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Join(r.root, name), 0o755); err != nil {
		r.t.Fatal(err)
	}
	r.put(filepath.Join(r.root, name, tenants.ManifestFile), text)
}

// event waits for an event of a tenant and passes over all others.
func (r *running) event(kind EventKind, tenant string) Event {
	r.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-r.events:
			if e.Kind == kind && e.Tenant == tenant {
				return e
			}
		case err := <-r.ended:
			r.t.Fatalf("the host ended: %v", err)
		case <-deadline:
			r.t.Fatalf("no event %d of %q; log:\n%s", kind, tenant, r.log)
		}
	}
}

// ready waits until all these tenants serve.
func (r *running) ready(tenants ...string) {
	r.t.Helper()
	missing := map[string]bool{}
	for _, name := range tenants {
		missing[name] = true
	}
	deadline := time.After(patience)
	for len(missing) > 0 {
		select {
		case e := <-r.events:
			if e.Kind == EventReady {
				delete(missing, e.Tenant)
			}
		case <-deadline:
			r.t.Fatalf("not ready: %v; log:\n%s", missing, r.log)
		}
	}
}

// stop ends the host; the test fails when it does not end well.
func (r *running) stop() {
	r.cancel()
	select {
	case err := <-r.ended:
		if err != nil {
			r.t.Errorf("Serve: %v", err)
		}
		r.ended <- nil
	case <-time.After(patience):
		r.t.Errorf("the host does not end; log:\n%s", r.log)
	}
}

// dial opens a connection that fails the test rather than hang it.
func (r *running) dial() *conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	return &conn{t: r.t, Conn: c, r: bufio.NewReader(c)}
}

type conn struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

// send writes text with \n for \r\n.
func (c *conn) send(text string) *conn {
	c.t.Helper()
	if _, err := io.WriteString(c, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		c.t.Fatal(err)
	}
	return c
}

// rest reads to the end of the connection, which a reset counts as.
func (c *conn) rest() string {
	c.t.Helper()
	b, err := io.ReadAll(c.r)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		c.t.Fatalf("after %q: %v", b, err)
	}
	return string(b)
}

// response reads one response.
func (c *conn) response(method string) (*http.Response, string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		c.t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, string(body)
}

// ask makes one request on a connection of its own and returns every byte of
// the answer, but for the date.
func (r *running) ask(text string) string {
	r.t.Helper()
	return hideDate(r.dial().send(text).rest())
}

func hideDate(s string) string {
	i := strings.Index(s, "\r\nDate: ")
	if i < 0 {
		return s
	}
	end := strings.Index(s[i+2:], "\r\n")
	return s[:i] + s[i+2+end:]
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
