package wasi

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

const (
	subscriptionSize = 48
	eventSize        = 32
	// maxSubscriptions is what select() of wasi-libc can ask for: FD_SETSIZE.
	maxSubscriptions = 1024
	// randomChunk is how much randomGet writes between two looks at the deadline, about a millisecond's worth.
	randomChunk = 1 << 20

	eventClock   = 0
	eventFdRead  = 1
	eventFdWrite = 2

	clockRealtime  = 0
	clockMonotonic = 1
)

// pollOneoff waits for the first of some clocks. A descriptor is always ready, as files are in POSIX; one that is not
// open is an event that says so.
func pollOneoff(c guestCall) sys.Errno {
	count := c.u32(2)
	if count == 0 || count > maxSubscriptions {
		return sys.EINVAL
	}
	in, errno := c.bytes(c.u32(0), count*subscriptionSize)
	if errno != 0 {
		return errno
	}
	out, errno := c.bytes(c.u32(1), count*eventSize)
	if errno != 0 {
		return errno
	}
	clocks, sockets, events, errno := c.subscriptions(in)
	switch {
	case errno != 0:
		return errno
	case len(sockets) > 0:
		if events, errno = c.waitForSockets(sockets, clocks, events); errno != 0 {
			return errno
		}
	case len(events) == 0:
		events = c.waitForClocks(clocks)
	}
	clear(out)
	for i, e := range events {
		e.put(out[i*eventSize:])
	}
	return c.putU32(c.u32(3), uint32(len(events)))
}

type event struct {
	user   uint64
	kind   byte
	errno  sys.Errno
	hungUp bool
}

func (e event) put(b []byte) {
	binary.LittleEndian.PutUint64(b, e.user)
	binary.LittleEndian.PutUint16(b[8:], uint16(toWASI(e.errno)))
	b[10] = e.kind
	if e.kind != eventClock && e.errno == 0 {
		binary.LittleEndian.PutUint64(b[16:], 1) // bytes that can move without blocking: at least one
		if e.hungUp {
			b[24] = 1
		}
	}
}

type clockWait struct {
	user uint64
	wait time.Duration
}

// subscriptions returns the clocks and sockets to wait for and what has happened already.
func (c guestCall) subscriptions(in []byte) (clocks []clockWait, sockets []socketWait, events []event, errno sys.Errno) {
	for ; len(in) > 0; in = in[subscriptionSize:] {
		user, kind := binary.LittleEndian.Uint64(in), in[8]
		switch kind {
		case eventClock:
			wait, errno := clockTimeout(in[16:])
			if errno != 0 {
				events = append(events, event{user: user, kind: kind, errno: errno})
				continue
			}
			clocks = append(clocks, clockWait{user, wait})
		case eventFdRead, eventFdWrite:
			d, errno := c.files.get(binary.LittleEndian.Uint32(in[16:]))
			if s, ok := socketIn(d); ok {
				sockets = append(sockets, socketWait{user, kind, s})
				continue
			}
			events = append(events, event{user: user, kind: kind, errno: errno})
		default:
			return nil, nil, nil, sys.EINVAL
		}
	}
	return clocks, sockets, events, 0
}

// clockTimeout reads a clock subscription: clock u32, timeout u64 at 8, precision u64 at 16, flags u16 at 24 of which
// bit 0 makes the timeout a point in time.
func clockTimeout(b []byte) (time.Duration, sys.Errno) {
	clock := binary.LittleEndian.Uint32(b)
	timeout := binary.LittleEndian.Uint64(b[8:])
	flags := binary.LittleEndian.Uint16(b[24:])
	if clock > clockMonotonic || flags > 1 {
		return 0, sys.EINVAL
	}
	if flags == 0 {
		return clampDuration(timeout), 0
	}
	now := uint64(nanotime())
	if clock == clockRealtime {
		now = uint64(time.Now().UnixNano())
	}
	if timeout <= now {
		return 0, 0
	}
	return clampDuration(timeout - now), 0
}

// waitForClocks sleeps until the first clock and returns all that are due then.
func (c guestCall) waitForClocks(clocks []clockWait) []event {
	first := clocks[0].wait
	for _, clock := range clocks {
		first = min(first, clock.wait)
	}
	c.sleep(c.ctx, first)
	var events []event
	for _, clock := range clocks {
		if clock.wait == first {
			events = append(events, event{user: clock.user, kind: eventClock})
		}
	}
	return events
}

// randomGet is wazero's with a look at the deadline now and then: a gigabyte takes a second.
func randomGet(c guestCall) sys.Errno {
	b, errno := c.bytes(c.u32(0), c.u32(1))
	if errno != 0 {
		return errno
	}
	for len(b) > 0 {
		if c.over(c.ctx) {
			return sys.EINTR
		}
		n := min(len(b), randomChunk)
		_, _ = rand.Read(b[:n]) // never fails
		b = b[n:]
	}
	return 0
}
