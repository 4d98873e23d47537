//go:build linux

package worker

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/worker/jail"
	"github.com/wasgi/wasgi/host/worker/wire"
)

// Bounds of the host's patience with a worker. None of them is reached by one
// that does what it should.
const (
	// openTimeout is for the guest's code to be read and for the jail.
	openTimeout = 2 * time.Minute
	// orderTimeout is for a few bytes to be taken from the control socket.
	orderTimeout = 10 * time.Second
	// closeTimeout is for the end of a worker that was asked to end.
	closeTimeout = 5 * time.Second
)

// process is one worker as the host sees it. It ends by itself, by close or by
// kill; two goroutines, listen and reap, end with it.
type process struct {
	cfg     *Config
	onEnd   func(*process) // called once, from reap
	cmd     *exec.Cmd
	control *net.UnixConn
	wire    *wire.Conn
	outlet  *outlet
	ledger  *ledger
	group   *group // nil for none
	born    time.Time
	built   chan error    // one value, and room for it: how the build went
	done    chan struct{} // closed when the process has been reaped
	exit    error         // set before done is closed
	buried  chan struct{} // closed when nothing of it is left here
	lost    atomic.Bool   // no longer to be used
	asked   atomic.Bool   // the host wanted it to end
	served  atomic.Bool   // it was built, so that its end is a loss
	reason  atomic.Pointer[string]

	// What listen has heard, each once. stored says that the image outlives the
	// process; it may be read after built.
	inJail, reported, stored bool

	sending sync.Mutex // guards writes to control, and number
	number  uint64     // of the instance that was opened last
}

// start starts a worker and waits until its image is built.
func start(ctx context.Context, cfg *Config, onEnd func(*process)) (*process, error) {
	job, err := cfg.Job.encode()
	if err != nil {
		return nil, err
	}
	p, err := launch(cfg, onEnd)
	if err != nil {
		return nil, fmt.Errorf("worker: starting the process: %w", err)
	}
	if err := p.order(func() error { return p.wire.Send(wire.Build, func(b []byte) []byte { return append(b, job...) }) }); err != nil {
		return nil, errors.Join(p.ended(err), p.close())
	}
	if err := p.await(ctx); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if !p.ledger.open() {
		err := &sandbox.Error{Kind: sandbox.KindMemory, Op: "start", Tenant: cfg.Job.Tenant.Name, Detail: "the host has no memory for another worker process"}
		return nil, errors.Join(err, p.close())
	}
	p.served.Store(true)
	return p, nil
}

// launch runs the binary again, with one end of the control socket, nothing of
// the environment and no other descriptor. Its standard error is what Go's
// runtime says when it dies.
func launch(cfg *Config, onEnd func(*process)) (*process, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, err
	}
	p := &process{
		cfg: cfg, onEnd: onEnd, control: conn.(*net.UnixConn), born: time.Now(),
		built: make(chan error, 1), done: make(chan struct{}), buried: make(chan struct{}),
	}
	p.wire = wire.NewConn(p.control, wire.MaxReply)
	outlet, network, err := newOutlet(cfg.network(), p.kill)
	if err != nil {
		return nil, errors.Join(err, p.control.Close())
	}
	defer network.Close()
	p.outlet = outlet
	p.cmd = exec.Command(cfg.Command[0], cfg.Command[1:]...)
	p.cmd.Args[0] = "wasgi"
	p.cmd.Env, p.cmd.Dir = []string{}, "/"
	p.cmd.ExtraFiles = []*os.File{theirs, network}
	p.cmd.Stderr = cfg.Log.Output("worker")
	p.cmd.WaitDelay = closeTimeout
	if cfg.program != nil {
		if err := p.attach(cfg.program); err != nil {
			return nil, errors.Join(err, p.control.Close(), p.outlet.conn.Close())
		}
	}
	// A group of its own: Ctrl-C is meant for the host, which lets requests end.
	// Pdeathsig is about the thread that starts the process, and Go ends a thread
	// only with a goroutine that is locked to it: nothing in the host is.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	p.enterGroup()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, p.control.Close(), p.outlet.conn.Close(), p.group.remove())
	}
	p.group.started()
	p.ledger = newLedger(p.cmd.Process.Pid, cfg.Memory)
	listening := make(chan struct{})
	go func() { defer close(listening); p.listen() }() // ends with the socket
	connecting := make(chan struct{})
	go func() { defer close(connecting); p.outlet.serve() }() // ends with the process's end of the socket
	go p.reap(listening, connecting)                          // ends with the process
	return p, nil
}

// enterGroup has the process start in a control group of its own, where there
// can be one.
func (p *process) enterGroup() {
	if p.cfg.Groups == "" {
		return
	}
	g, err := newGroup(p.cfg.Groups, p.cfg.Job.Tenant.Name, p.cfg.Job.groupMemory())
	if err != nil {
		p.cfg.Log.Slog().Warn("a worker process runs without a control group", "error", err)
		return
	}
	p.group = g
	p.cmd.SysProcAttr.UseCgroupFD, p.cmd.SysProcAttr.CgroupFD = true, g.fd
}

func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "worker"), os.NewFile(uintptr(fds[1]), "host"), nil
}

// await waits for the build. A guest that is told to stop and does not is killed.
func (p *process) await(ctx context.Context) error {
	timer := time.NewTimer(p.cfg.Job.patience())
	defer timer.Stop()
	select {
	case err := <-p.built:
		return err
	case <-p.done:
		select {
		case err := <-p.built: // it said why, and then ended
			return err
		default:
			return p.ended(nil)
		}
	case <-timer.C:
		p.kill("it did not finish the build in time")
		return p.failure(sandbox.KindTimeout, "start", nil)
	case <-ctx.Done():
		p.kill("the build is not wanted any more")
		return context.Cause(ctx)
	}
}

// grace is what a call may take after it was asked to end.
func (j *Job) grace() time.Duration { return max(cmp.Or(j.Grace, sandbox.DefaultGrace), 0) }

// patience is the longest that a build can take.
func (j *Job) patience() time.Duration {
	start := cmp.Or(j.StartTimeout, sandbox.DefaultStartTimeout)
	return openTimeout + 3*(start+j.grace()) + margin // the start, the warm-up, the snapshot
}

// listen reads what the worker says outside of requests, until it has ended or
// breaks the protocol.
func (p *process) listen() {
	for {
		kind, payload, err := p.wire.Read()
		if err == nil {
			err = p.hear(kind, payload)
		}
		if err != nil {
			p.abandon(err)
			return
		}
	}
}

func (p *process) hear(kind wire.Type, payload []byte) error {
	switch kind {
	case wire.Line:
		l, err := wire.DecodeLogLine(payload)
		if err == nil {
			p.cfg.say(l)
		}
		return err
	case wire.Jailed:
		return p.jailed(payload)
	case wire.Built:
		var stats sandbox.ImageStats
		if err := json.Unmarshal(payload, &stats); err != nil || !p.inJail || p.reported {
			return errors.Join(wire.ErrMalformed, err)
		}
		p.stored = stats.Stored
		return p.report(nil)
	case wire.Failed:
		o, err := wire.DecodeOutcome(payload)
		if err != nil {
			return err
		}
		if o.Kind == 0 {
			return wire.ErrMalformed
		}
		return p.report(errorOf(o, p.cfg.Job.Tenant.Name))
	}
	return wire.ErrMalformed
}

// jailed tells the operator what the kernel had. Nothing of the tenant has run
// in the worker by then, so it can be believed.
func (p *process) jailed(payload []byte) error {
	if p.inJail {
		return wire.ErrMalformed // now it is the tenant who speaks
	}
	p.inJail = true
	var r jail.Report
	if err := json.Unmarshal(payload, &r); err != nil {
		return fmt.Errorf("%w: %w", wire.ErrMalformed, err)
	}
	if p.cfg.program != nil && !p.ledger.open() {
		p.kill("the host has no memory for another worker process")
	}
	log := p.cfg.Log.Slog().Info
	if len(r.Missing) > 0 {
		log = p.cfg.Log.Slog().Warn
	}
	log("a worker process is jailed", "pid", p.cmd.Process.Pid, "jail", r.String(), "cgroup", p.group.name())
	return nil
}

// report passes on how the build went; a worker can say so once.
func (p *process) report(err error) error {
	if p.reported {
		return wire.ErrMalformed
	}
	p.reported = true
	p.built <- err
	return nil
}

// abandon gives the worker up because of what its socket said.
func (p *process) abandon(err error) {
	if errors.Is(err, wire.ErrMalformed) {
		p.kill("it broke the protocol: " + err.Error())
		return
	}
	p.lost.Store(true)
	// A worker without its control socket ends; one that does not is hostile.
	time.AfterFunc(closeTimeout, func() { p.kill("it closed its control socket and went on") })
}

// kill ends the worker now. Reason is for the log.
func (p *process) kill(reason string) {
	if p.lost.Swap(true) && p.reason.Load() != nil {
		return
	}
	p.reason.CompareAndSwap(nil, &reason)
	_ = p.cmd.Process.Kill() // it may have ended
}

// reap waits for the end of the process and of listen.
func (p *process) reap(listening, connecting <-chan struct{}) {
	p.exit = p.cmd.Wait()
	p.lost.Store(true)
	<-listening // what it said before it ended counts
	_ = p.control.Close()
	_ = p.outlet.conn.Close()
	<-connecting
	p.ledger.close()
	if err := p.group.remove(); err != nil {
		p.cfg.Log.Slog().Warn("a worker process left something behind", "error", err)
	}
	close(p.done)
	p.onEnd(p)
	close(p.buried)
}

// close asks the worker to end, and makes sure that it has.
func (p *process) close() error {
	p.asked.Store(true)
	p.lost.Store(true)
	err := p.control.CloseWrite()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.kill("it did not end when it was asked to")
		<-p.done
	}
	if errors.Is(err, unix.ENOTCONN) || errors.Is(err, net.ErrClosed) || errors.Is(err, unix.EPIPE) {
		err = nil // it had ended
	}
	return err
}

// order writes to the control socket, one message at a time.
func (p *process) order(write func() error) error {
	p.sending.Lock()
	defer p.sending.Unlock()
	if err := p.control.SetWriteDeadline(time.Now().Add(orderTimeout)); err != nil {
		return err
	}
	return write()
}

// cancel ends the request that an instance serves.
func (p *process) cancel(number uint64) {
	err := p.order(func() error {
		_, err := p.control.Write(binary.LittleEndian.AppendUint64([]byte{orderCancel}, number))
		return err
	})
	if err != nil {
		p.kill("it takes no orders: " + err.Error())
	}
}

// open sends the worker the socket of a new instance.
func (p *process) open() (socket *os.File, number uint64, err error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, 0, err
	}
	defer theirs.Close()
	raw, err := theirs.SyscallConn()
	if err != nil {
		return nil, 0, errors.Join(err, ours.Close())
	}
	message := make([]byte, orderSize)
	message[0] = orderOpen
	err = p.order(func() (err error) {
		if failed := raw.Control(func(fd uintptr) {
			_, _, err = p.control.WriteMsgUnix(message, unix.UnixRights(int(fd)), nil)
		}); failed != nil {
			return failed
		}
		p.number++
		number = p.number
		return err
	})
	if err != nil {
		return nil, 0, errors.Join(err, ours.Close())
	}
	return ours, number, nil
}

// ended is the error of whatever was under way when the worker ended. It waits
// a moment for the reason; a worker that has closed a socket and goes on is
// killed.
func (p *process) ended(cause error) error {
	p.lost.Store(true)
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-p.done:
		if p.exit != nil {
			cause = p.exit
		}
	case <-timer.C:
		p.kill("it closed a socket and went on")
	}
	return p.failure(sandbox.KindTrap, "worker", cause)
}

func (p *process) failure(kind sandbox.Kind, op string, cause error) error {
	detail := "the worker process has ended"
	if why := p.reason.Load(); why != nil {
		detail = "the worker process was killed: " + *why
	}
	return &sandbox.Error{Kind: kind, Op: op, Tenant: p.cfg.Job.Tenant.Name, Detail: detail, Err: cause}
}
