package wasi

import "github.com/tetratelabs/wazero/experimental/sys"

// socketWait is a subscription to a socket.
type socketWait struct {
	user uint64
	kind byte // eventFdRead or eventFdWrite
	*socket
}

func socketIn(d *descriptor) (*socket, bool) {
	if d == nil {
		return nil, false
	}
	s, ok := d.file.(*socket)
	return s, ok
}

func (w socketWait) interest() interest {
	if w.kind == eventFdRead {
		return interest{w.socket, readable}
	}
	return interest{w.socket, writable}
}

// waitForSockets adds the sockets that are ready to what has happened already, waiting until something has.
func (c guestCall) waitForSockets(sockets []socketWait, clocks []clockWait, events []event) ([]event, sys.Errno) {
	if happened := append(events, readySockets(sockets)...); len(happened) > 0 {
		return happened, 0
	}
	timeout := noTimeout
	for _, clock := range clocks {
		if timeout < 0 || clock.wait < timeout {
			timeout = clock.wait
		}
	}
	if timeout != 0 {
		if errno := c.await(c.ctx.Done(), merge(sockets), timeout); errno != 0 {
			return nil, errno
		}
	}
	if happened := readySockets(sockets); len(happened) > 0 {
		return happened, 0
	}
	for _, clock := range clocks {
		if clock.wait == timeout {
			events = append(events, event{user: clock.user, kind: eventClock})
		}
	}
	return events, 0
}

// merge makes one interest of all in the same socket.
func merge(sockets []socketWait) []interest {
	var out []interest
	at := make(map[*socket]int, len(sockets))
	for _, w := range sockets {
		i, ok := at[w.socket]
		if !ok {
			at[w.socket] = len(out)
			out = append(out, w.interest())
			continue
		}
		out[i].want |= w.interest().want
	}
	return out
}

func readySockets(sockets []socketWait) (events []event) {
	for _, w := range sockets {
		if met := w.interest().met(); met != 0 {
			events = append(events, event{user: w.user, kind: w.kind, hungUp: met&hungUp != 0})
		}
	}
	return events
}
