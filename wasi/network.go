package wasi

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"time"
)

// Network is whom the sockets of a guest may reach. It is asked for every name and every connection, and must be safe
// for concurrent use: the instances of a tenant share one.
type Network interface {
	// Resolve returns the addresses of a name in the order in which they are to be tried. A *Refusal says that the guest
	// may not know them; any other error that there are none. It may block as long as ctx lasts.
	Resolve(ctx context.Context, name string) ([]netip.Addr, error)
	// Dial begins a connection (stream) or fixes the peer of datagrams. A *Refusal says that the guest may not; a
	// syscall.Errno is what the kernel said. It must not wait for the peer.
	Dial(ctx context.Context, stream bool, to netip.AddrPort) (*Link, error)
	// Refuse is told what a guest asked for that no policy allows, such as "listen", and returns the refusal.
	Refuse(rule, what string) *Refusal
}

// Link is a connection under way.
type Link struct {
	// File is a non-blocking socket of the kernel that has been told to connect. The guest's socket owns it.
	File *os.File
	// Port is the local port. The local address is not the guest's to know.
	Port uint16
	// Meter counts what passes; nil counts nothing.
	Meter Meter
}

// Meter bounds a connection. Its methods do not block.
type Meter interface {
	// Pause is how long the connection has to wait before it may move more bytes; 0 is not at all.
	Pause() time.Duration
	// Moved is told what has passed. An error says that the connection has had all that it may, and is its last byte.
	Moved(sent, received int) *Refusal
	// Close is told once that the connection is closed.
	Close()
}

// Refusal is why a guest may not do something with the network. The guest sees PermissionError with this text.
type Refusal struct {
	Rule string // short, stable: "loopback", "network.allow", "connections"
	What string // the peer, or what was asked for
	Hint string // what would allow it; may be empty
}

// Error names the rule.
func (r *Refusal) Error() string {
	text := "the network policy refuses " + r.What + " (rule " + r.Rule + ")"
	if r.Hint != "" {
		text += ": " + r.Hint
	}
	return text
}

// NoNetwork is the Network of a policy without one: it refuses everything.
func NoNetwork() Network { return noNetwork{} }

type noNetwork struct{}

func (noNetwork) Resolve(_ context.Context, name string) ([]netip.Addr, error) {
	return nil, noNetwork{}.Refuse("network", name)
}

func (noNetwork) Dial(_ context.Context, _ bool, to netip.AddrPort) (*Link, error) {
	return nil, noNetwork{}.Refuse("network", to.String())
}

func (noNetwork) Refuse(rule, what string) *Refusal {
	return &Refusal{Rule: rule, What: what, Hint: "there is no network here"}
}

// refusalOf finds the refusal in an error.
func refusalOf(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}
