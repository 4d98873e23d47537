//go:build !linux

package egress

import (
	"context"
	"errors"
	"net/netip"

	"github.com/wasgi/wasgi/wasi"
)

// Dial needs Linux, as guests do.
func (t *Tenant) Dial(context.Context, bool, netip.AddrPort) (*wasi.Link, error) {
	return nil, errors.New("egress: connections need Linux")
}
