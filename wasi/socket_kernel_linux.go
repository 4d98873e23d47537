package wasi

import (
	"math"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// kernelEnd is a connected, non-blocking socket of the kernel. Reading, writing and looking go straight to it; waiting
// goes through Go's poller, so that it takes no thread.
type kernelEnd struct {
	file   *os.File
	raw    syscall.RawConn
	fd     int // file's, which only close gives up
	meter  Meter
	why    string // the refusal that has ended it
	linger int    // one more than the seconds that the guest has set, so that zero is off
	closed bool
	local  map[option]int // the options of TCP that were set on a socket that has none; nil for one that has
}

func newKernelEnd(l *Link) (endpoint, error) {
	raw, err := l.File.SyscallConn()
	if err != nil {
		return nil, err
	}
	k := &kernelEnd{file: l.File, raw: raw, meter: l.Meter}
	if err := raw.Control(func(fd uintptr) { k.fd = int(fd) }); err != nil {
		return nil, err
	}
	if domain, err := unix.GetsockoptInt(k.fd, unix.SOL_SOCKET, unix.SO_DOMAIN); err == nil && domain == unix.AF_UNIX {
		k.local = map[option]int{}
	}
	return k, nil
}

func (k *kernelEnd) recv(p []byte, peek bool) (int, sys.Errno) {
	if k.why != "" {
		return 0, ENOTCAPABLE
	}
	flags := 0
	if peek {
		flags = unix.MSG_PEEK
	}
	n, err := retry(func() (int, error) {
		n, _, _, _, err := unix.Recvmsg(k.fd, p, nil, flags)
		return n, err
	})
	if err != nil {
		return 0, socketErrno(err)
	}
	if !peek {
		k.moved(0, n)
	}
	return n, 0
}

func (k *kernelEnd) send(p []byte) (int, sys.Errno) {
	if k.why != "" {
		return 0, ENOTCAPABLE
	}
	n, err := retry(func() (int, error) { return unix.Write(k.fd, p) })
	if err != nil {
		return 0, socketErrno(err)
	}
	k.moved(n, 0)
	return n, 0
}

// retry does f again when a signal, of which Go's runtime has its own, came in between.
func retry(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != unix.EINTR {
			return n, err
		}
	}
}

func (k *kernelEnd) moved(sent, received int) {
	if k.meter == nil {
		return
	}
	if r := k.meter.Moved(sent, received); r != nil {
		k.why = r.Error()
		_ = unix.Shutdown(k.fd, unix.SHUT_RDWR)
	}
}

// refused is why the connection was ended.
func (k *kernelEnd) refused() string { return k.why }

func (k *kernelEnd) ready() readiness { return readyNow(k.fd) }

func readyNow(fd int) (r readiness) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLOUT}}
	if _, err := retry(func() (int, error) { return unix.Ppoll(fds, &unix.Timespec{}, nil) }); err != nil {
		return readable | writable // what it is, the next call says
	}
	events := fds[0].Revents
	if events&(unix.POLLIN|unix.POLLHUP|unix.POLLERR) != 0 {
		r |= readable
	}
	if events&(unix.POLLOUT|unix.POLLHUP|unix.POLLERR) != 0 {
		r |= writable
	}
	if events&unix.POLLHUP != 0 {
		r |= hungUp
	}
	return r
}

// watch has Go's poller wait, for each direction in a goroutine that ends with stop.
func (k *kernelEnd) watch(want readiness, wake func()) (stop func()) {
	var waiting sync.WaitGroup
	for _, w := range []struct {
		what readiness
		wait func(func(fd uintptr) bool) error
	}{{readable, k.raw.Read}, {writable, k.raw.Write}} {
		if want&w.what == 0 {
			continue
		}
		waiting.Go(func() {
			if w.wait(func(fd uintptr) bool { return readyNow(int(fd))&(w.what|hungUp) != 0 }) == nil {
				wake()
			}
		})
	}
	return func() {
		_ = k.file.SetDeadline(time.Unix(1, 0))
		waiting.Wait()
		_ = k.file.SetDeadline(time.Time{})
	}
}

// kernelOption is an option of the kernel's.
type kernelOption struct{ level, name int }

func kernelOptionOf(o option) (kernelOption, bool) {
	k, ok := map[option]kernelOption{
		optError:         {unix.SOL_SOCKET, unix.SO_ERROR},
		optSendBuffer:    {unix.SOL_SOCKET, unix.SO_SNDBUF},
		optReceiveBuffer: {unix.SOL_SOCKET, unix.SO_RCVBUF},
		optKeepAlive:     {unix.SOL_SOCKET, unix.SO_KEEPALIVE},
		optNoDelay:       {unix.IPPROTO_TCP, unix.TCP_NODELAY},
		optKeepIdle:      {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
		optKeepInterval:  {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
		optKeepCount:     {unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
		optUserTimeout:   {unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT},
		optQuickAck:      {unix.IPPROTO_TCP, unix.TCP_QUICKACK},
	}[o]
	return k, ok
}

func (k *kernelEnd) getOption(o option) (int, sys.Errno) {
	if o == optLinger {
		return k.linger - 1, 0
	}
	number, ok := kernelOptionOf(o)
	if !ok {
		return 0, 0 // one that changes nothing
	}
	if k.local != nil && number.level == unix.IPPROTO_TCP {
		return k.local[o], 0
	}
	value, err := unix.GetsockoptInt(k.fd, number.level, number.name)
	if err != nil {
		return 0, socketErrno(err)
	}
	return value, 0
}

// maxBuffer is the most that a guest may ask for in one direction; the kernel doubles it.
const maxBuffer = 1 << 20

func (k *kernelEnd) setOption(o option, value int) sys.Errno {
	if o == optLinger {
		return k.setLinger(value)
	}
	number, ok := kernelOptionOf(o)
	if !ok || o == optError {
		return 0
	}
	if o == optSendBuffer || o == optReceiveBuffer {
		value = min(value, maxBuffer)
	}
	if k.local != nil && number.level == unix.IPPROTO_TCP {
		k.local[o] = value // they are about the wire, and there is none
		return 0
	}
	return socketErrno(unix.SetsockoptInt(k.fd, number.level, number.name, value))
}

// setLinger gives the kernel 0, which breaks a connection off, and off. With seconds close would wait for the peer, and
// with it the host; the kernel sends what is left without.
func (k *kernelEnd) setLinger(seconds int) sys.Errno {
	k.linger = min(max(seconds, -1), math.MaxInt32-1) + 1
	l := unix.Linger{}
	if seconds == 0 {
		l.Onoff = 1
	}
	return socketErrno(unix.SetsockoptLinger(k.fd, unix.SOL_SOCKET, unix.SO_LINGER, &l))
}

func (k *kernelEnd) shutdown(how uint32) sys.Errno {
	kinds := [...]int{shutRead: unix.SHUT_RD, shutWrite: unix.SHUT_WR, shutRead | shutWrite: unix.SHUT_RDWR}
	return socketErrno(unix.Shutdown(k.fd, kinds[how]))
}

func (k *kernelEnd) pause() time.Duration {
	if k.meter == nil {
		return 0
	}
	return k.meter.Pause()
}

func (k *kernelEnd) close() sys.Errno {
	if k.closed {
		return 0
	}
	k.closed = true
	if k.meter != nil {
		k.meter.Close()
	}
	return errnoOf(k.file.Close())
}
