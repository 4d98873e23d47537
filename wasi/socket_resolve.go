package wasi

import (
	"errors"
	"net"
	"net/netip"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// resolve asks for the addresses of a name. The guest holds no CPU slot meanwhile.
func (s *Sandbox) resolve(name string) ([]netip.Addr, sys.Errno) {
	call(s.before)
	addresses, err := s.network().Resolve(s.requestContext(), name)
	call(s.after)
	var failure *net.DNSError
	switch {
	case err == nil && len(addresses) == 0:
		return nil, sys.ENOENT
	case errors.As(err, &failure) && failure.IsNotFound:
		return nil, sys.ENOENT
	case errors.As(err, &failure):
		return nil, sys.EAGAIN
	case err != nil:
		return nil, s.networkErrno(err)
	}
	return addresses, 0
}
