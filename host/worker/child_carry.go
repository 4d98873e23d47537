//go:build linux

package worker

import (
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/worker/wire"
	"github.com/wasgi/wasgi/wasi"
)

// carryEvery is how often a worker tells the host how many bytes have moved.
const carryEvery = time.Second

// carry are the bytes that the host has not been told of.
type carry struct {
	mu             sync.Mutex // guards all
	sent, received uint64
	timer          *time.Timer // runs while there are any
}

// carrying is a meter whose bytes the host is told of.
type carrying struct {
	wasi.Meter
	n *inlet
}

// Moved implements wasi.Meter.
func (m carrying) Moved(sent, received int) *wasi.Refusal {
	m.n.moved(uint64(sent), uint64(received))
	return m.Meter.Moved(sent, received)
}

func (n *inlet) moved(sent, received uint64) {
	c := &n.carry
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent, c.received = c.sent+sent, c.received+received
	if c.timer == nil {
		c.timer = time.AfterFunc(carryEvery, n.tell)
	}
}

// tell tells the host. One that does not listen any more counts no more.
func (n *inlet) tell() {
	c := &n.carry
	c.mu.Lock()
	q := wire.NetworkRequest{Kind: wire.NetMoved, Sent: c.sent, Received: c.received}
	c.sent, c.received, c.timer = 0, 0, nil
	c.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = n.conn.Write(q.Append(nil))
}
