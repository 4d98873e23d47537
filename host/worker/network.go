//go:build linux

package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasgi/wasgi/host/worker/wire"
	"github.com/wasgi/wasgi/wasi"
)

// maxQuestions is how many questions of one worker the host works on at once;
// more wait in the socket.
const maxQuestions = 64

// replyTimeout is for a worker to take an answer.
const replyTimeout = 10 * time.Second

// outlet answers a worker that wants to connect: it checks, makes the connection
// and passes the socket on. Its goroutine ends when the worker's end closes.
type outlet struct {
	conn    *net.UnixConn
	network wasi.Network
	broken  func(why string) // ends the worker
	ctx     context.Context
	cancel  context.CancelFunc
	room    chan struct{}

	mu    sync.Mutex // guards links and sending
	links map[uint64]wasi.Meter
}

// newOutlet returns the host's end and the descriptor for the worker.
func newOutlet(network wasi.Network, broken func(string)) (*outlet, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "network"), os.NewFile(uintptr(fds[1]), "network")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	o := &outlet{
		conn: conn.(*net.UnixConn), network: network, broken: broken,
		room: make(chan struct{}, maxQuestions), links: map[uint64]wasi.Meter{},
	}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	return o, theirs, nil
}

// serve answers until the socket is closed; then the worker's connections count
// no more.
func (o *outlet) serve() {
	var answering sync.WaitGroup
	buffer := make([]byte, wire.MaxNetwork)
	for {
		n, err := o.conn.Read(buffer)
		if err != nil || n == 0 {
			break
		}
		q, err := wire.DecodeNetworkRequest(buffer[:n])
		if err != nil {
			o.broken("it broke the protocol of its network socket")
			break
		}
		if q.Kind == wire.NetClosed {
			o.release(q.Number)
			continue
		}
		if q.Kind == wire.NetMoved {
			o.moved(q)
			continue
		}
		o.room <- struct{}{}
		answering.Go(func() {
			o.answer(q)
			<-o.room
		})
	}
	o.cancel()
	_ = o.conn.Close()
	answering.Wait()
	o.releaseAll()
}

func (o *outlet) answer(q wire.NetworkRequest) {
	reply, link := o.ask(q)
	reply.Number = q.Number
	if link != nil {
		defer link.File.Close() // the worker has it then
		reply.Port = link.Port
		if !o.hold(q.Number, link.Meter) {
			o.broken("it used a number twice on its network socket")
			return
		}
	}
	if err := o.send(reply, link); err != nil {
		o.release(q.Number)
		if o.ctx.Err() == nil {
			o.broken("it takes no answers on its network socket")
		}
	}
}

// ask asks the tenant's network.
func (o *outlet) ask(q wire.NetworkRequest) (wire.NetworkReply, *wasi.Link) {
	switch q.Kind {
	case wire.NetResolve:
		found, err := o.network.Resolve(o.ctx, q.Name)
		reply := replyOf(err)
		reply.Addresses = found
		return reply, nil
	case wire.NetDial:
		if !q.To.IsValid() {
			return wire.NetworkReply{Status: wire.NetErrno, Errno: uint32(unix.EINVAL)}, nil
		}
		link, err := o.network.Dial(o.ctx, q.Stream, q.To)
		return replyOf(err), link
	default:
		return replyOf(o.network.Refuse(q.Name, q.What)), nil
	}
}

// replyOf is an error of the network in the words of the wire.
func replyOf(err error) wire.NetworkReply {
	var refusal *wasi.Refusal
	var number syscall.Errno
	var lookup *net.DNSError
	switch {
	case err == nil:
		return wire.NetworkReply{}
	case errors.As(err, &refusal):
		return wire.NetworkReply{Status: wire.NetRefused, Rule: refusal.Rule, What: refusal.What, Hint: refusal.Hint}
	case errors.As(err, &number):
		return wire.NetworkReply{Status: wire.NetErrno, Errno: uint32(number)}
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return wire.NetworkReply{Status: wire.NetNotFound}
	}
	return wire.NetworkReply{Status: wire.NetFailed}
}

// send passes a reply on, with the descriptor of a connection.
func (o *outlet) send(p wire.NetworkReply, link *wasi.Link) error {
	var rights []byte
	if link != nil {
		raw, err := link.File.SyscallConn()
		if err != nil {
			return err
		}
		return errors.Join(raw.Control(func(fd uintptr) {
			rights = unix.UnixRights(int(fd))
			err = o.write(p, rights)
		}), err)
	}
	return o.write(p, nil)
}

func (o *outlet) write(p wire.NetworkReply, rights []byte) error {
	if err := o.conn.SetWriteDeadline(time.Now().Add(replyTimeout)); err != nil {
		return err
	}
	_, _, err := o.conn.WriteMsgUnix(p.Append(nil), rights, nil)
	return err
}

// moved passes on what the worker says of bytes. That is the tenant's own account.
func (o *outlet) moved(q wire.NetworkRequest) {
	if n, ok := o.network.(interface{ Carried(sent, received uint64) }); ok {
		n.Carried(q.Sent, q.Received)
	}
}

func (o *outlet) hold(number uint64, m wasi.Meter) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.links[number] != nil {
		m.Close()
		return false
	}
	o.links[number] = m
	return true
}

func (o *outlet) release(number uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if m := o.links[number]; m != nil {
		m.Close()
		delete(o.links, number)
	}
}

func (o *outlet) releaseAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for number, m := range o.links {
		m.Close()
		delete(o.links, number)
	}
}
