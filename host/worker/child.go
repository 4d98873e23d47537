//go:build linux

package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/worker/jail"
	"github.com/wasgi/wasgi/host/worker/wire"
	"github.com/wasgi/wasgi/wasi"
)

// controlFD is where a worker finds its control socket.
const controlFD = 3

// Main is a worker's life: it runs until the host closes the control socket,
// and guest is what it runs. Only the host starts it; anybody else gets an error.
func Main(guest Guest) error {
	// The host decides when a worker ends; a signal to the whole group is none
	// of its business.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	control, err := openControl()
	if err != nil {
		return fmt.Errorf("worker: this command is started by wasgi itself: %w", err)
	}
	defer control.Close()
	w := &child{control: control, wire: wire.NewConn(control, wire.MaxJob), guest: guest, cancels: map[uint64]context.CancelFunc{}}
	return w.run()
}

func openControl() (*net.UnixConn, error) { return openPassed(controlFD, "control") }

// openPassed takes a socket that the host has passed under a number.
func openPassed(fd int, name string) (*net.UnixConn, error) {
	unix.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), name)
	if f == nil {
		return nil, fmt.Errorf("there is no %s socket", name)
	}
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the %s socket is none", name), c.Close())
	}
	return u, nil
}

// child is the worker's side of the control socket.
type child struct {
	control *net.UnixConn
	wire    *wire.Conn
	guest   Guest
	job     *Job
	engine  *sandbox.Engine
	image   *sandbox.Image
	network *inlet

	sending sync.Mutex // guards writes to control
	serving sync.WaitGroup

	mu      sync.Mutex // guards cancels
	cancels map[uint64]context.CancelFunc
}

// run builds, says how that went, and serves until the host has had enough.
func (w *child) run() error {
	kind, payload, err := w.wire.Read()
	if err != nil || kind != wire.Build {
		return errors.Join(errors.New("worker: the host sent no job"), err)
	}
	if w.job, err = decodeJob(payload); err != nil {
		return err
	}
	runtime.GOMAXPROCS(max(w.job.Running, 1) + 1) // beside guests, which cannot be preempted, one reads what the host says
	if w.job.Program != nil {
		err := w.runProgram()
		return w.send(wire.Failed, func(b []byte) []byte { return outcomeOf(err).Append(b) })
	}
	if err := w.build(context.Background()); err != nil {
		return w.send(wire.Failed, func(b []byte) []byte { return outcomeOf(err).Append(b) })
	}
	stats, err := json.Marshal(w.image.Stats())
	if err != nil {
		return err
	}
	if err := w.send(wire.Built, func(b []byte) []byte { return append(b, stats...) }); err != nil {
		return err
	}
	err = w.listen()
	w.cancelAll()
	w.serving.Wait()
	return errors.Join(err, w.close())
}

// build makes the image.
func (w *child) build(ctx context.Context) error {
	spec, key, err := w.settle(ctx)
	if err != nil {
		return err
	}
	if w.job.Unstored {
		w.image, err = w.engine.Build(ctx, spec)
		return err
	}
	w.image, err = w.engine.BuildStored(ctx, spec, w.job.Snapshot, key)
	return err
}

// settle makes everything that needs more than the jail allows, and closes the
// jail: only then may the tenant's code run.
func (w *child) settle(ctx context.Context) (spec sandbox.Spec, key sandbox.Key, err error) {
	log := slog.New(&recordHandler{send: w.line, tenant: w.job.Tenant.Name})
	if w.network, err = openInlet(w.job.meters()); err != nil {
		return spec, key, err
	}
	go w.network.listen() // ends with the host's end of the socket
	root, err := wasi.Archive(w.guest.RootFS)
	if err != nil {
		return spec, key, fmt.Errorf("the guest's files cannot be used: %w", err)
	}
	if w.engine, err = sandbox.NewEngine(ctx, sandbox.EngineConfig{
		Module: w.guest.Module, CacheDir: w.job.CacheDir, CacheChecked: true, Logger: log,
	}); err != nil {
		return spec, key, err
	}
	w.guest = Guest{}
	if spec, key, err = w.spec(root, log); err != nil {
		return spec, key, err
	}
	// What the compilation took will not be needed again; little is allocated for
	// a request, and there may be many workers.
	debug.SetGCPercent(50)
	debug.FreeOSMemory()
	return spec, key, w.enterJail()
}

// spec opens the folders.
func (w *child) spec(root wasi.FS, log *slog.Logger) (sandbox.Spec, sandbox.Key, error) {
	j := w.job
	app := j.app(root, w.output(wire.FromStdout), w.output(wire.FromStderr))
	if j.Program != nil {
		app.Stdin, app.Stdout, app.Stderr = os.Stdin, os.Stdout, os.Stderr
	}
	app.Network = w.network
	app.Certificates, _ = policy.SystemCertificates() // the host has warned
	pol, err := app.Policy()
	if err != nil {
		return sandbox.Spec{}, sandbox.Key{}, err
	}
	return sandbox.Spec{
		Budget: sandbox.NewBudget(w.job.MemoryBudget, sandbox.NewBudget(0, nil)), // a tenant's, not the host's
		Name:   j.Tenant.Name, Policy: pol, Boot: app.Boot(), Load: app.Load(), Warmup: j.warmup(), WarmupRounds: j.Tenant.Manifest.Warmup.Rounds,
		MemoryLimit: j.MemoryLimit, CPULimit: j.CPULimit, Grace: j.Grace,
		StartTimeout: j.StartTimeout, WarmupTimeout: j.WarmupTimeout, Logger: log,
	}, j.key(pol), nil
}

func (w *child) enterJail() error {
	report, err := jail.Enter(w.job.jail())
	if err != nil {
		return err
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return w.send(wire.Jailed, func(b []byte) []byte { return append(b, text...) })
}

func (w *child) close() error {
	return errors.Join(w.image.Close(), w.engine.Close(context.Background()))
}

func (w *child) send(t wire.Type, fill func([]byte) []byte) error {
	w.sending.Lock()
	defer w.sending.Unlock()
	return w.wire.Send(t, fill)
}

// line passes on what the guest says outside of requests. A host that does not
// listen has ended, and so does this process.
func (w *child) line(l wire.LogLine) { _ = w.send(wire.Line, l.Append) }

func (w *child) output(from wire.LineSource) io.Writer {
	return wasi.LineWriter(func(text string) {
		if text != "" {
			w.line(wire.LogLine{Source: from, Text: text})
		}
	}, maxLine)
}

// maxLine is what is kept of a line of output, as package tenantlog has it.
const maxLine = 16 << 10

// listen takes new instances and cancellations until the socket is closed. Each
// message is one byte or nine, read alone so that a descriptor comes with the
// byte it was sent with.
func (w *child) listen() error {
	for number := uint64(0); ; {
		socket, cancel, err := w.receive()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case socket != nil:
			number++
			w.admit(number, socket)
		default:
			w.cancel(cancel)
		}
	}
}

// admit starts the goroutine of one instance, which ends when the host closes
// the other end of its socket.
func (w *child) admit(number uint64, socket *os.File) {
	ctx, cancel := context.WithCancel(context.Background())
	w.mu.Lock()
	w.cancels[number] = cancel
	w.mu.Unlock()
	w.serving.Go(func() {
		defer w.forget(number)
		attend(ctx, w.image, w.job.fresh(), socket)
	})
}

func (w *child) forget(number uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancels[number]()
	delete(w.cancels, number)
}

// cancel ends what an instance does now. The host throws the instance away
// afterwards, so that no later request can be hit.
func (w *child) cancel(number uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cancel := w.cancels[number]; cancel != nil {
		cancel()
	}
}

func (w *child) cancelAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, cancel := range w.cancels {
		cancel()
	}
}
