package wasi

import (
	"errors"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Error numbers that sockets answer beside those of wazero's experimental/sys.
const (
	EADDRINUSE      = extended + 3
	EADDRNOTAVAIL   = extended + 4
	EAFNOSUPPORT    = extended + 5
	EALREADY        = extended + 7
	ECONNABORTED    = extended + 13
	ECONNREFUSED    = extended + 14
	ECONNRESET      = extended + 15
	EDESTADDRREQ    = extended + 17
	EHOSTUNREACH    = extended + 23
	EINPROGRESS     = extended + 26
	EISCONN         = extended + 30
	EMSGSIZE        = extended + 35
	ENETDOWN        = extended + 38
	ENETUNREACH     = extended + 40
	ENOBUFS         = extended + 42
	ENOPROTOOPT     = extended + 50
	ENOTCONN        = extended + 53
	EPIPE           = extended + 64
	EPROTONOSUPPORT = extended + 66
	EPROTOTYPE      = extended + 67
	ETIMEDOUT       = extended + 73
	ENOTCAPABLE     = extended + 76 // a refusal of the network's policy, and nothing else
)

// socketErrno translates what the kernel says of a socket.
func socketErrno(err error) sys.Errno {
	var number syscall.Errno
	if err == nil || errors.As(err, &number) && number == 0 {
		return 0
	}
	if errno, ok := map[syscall.Errno]sys.Errno{
		syscall.EADDRINUSE: EADDRINUSE, syscall.EADDRNOTAVAIL: EADDRNOTAVAIL, syscall.EAFNOSUPPORT: EAFNOSUPPORT,
		syscall.EALREADY: EALREADY, syscall.ECONNABORTED: ECONNABORTED, syscall.ECONNREFUSED: ECONNREFUSED,
		syscall.ECONNRESET: ECONNRESET, syscall.EDESTADDRREQ: EDESTADDRREQ, syscall.EHOSTUNREACH: EHOSTUNREACH,
		syscall.EINPROGRESS: EINPROGRESS, syscall.EISCONN: EISCONN, syscall.EMSGSIZE: EMSGSIZE,
		syscall.ENETDOWN: ENETDOWN, syscall.ENETUNREACH: ENETUNREACH, syscall.ENOBUFS: ENOBUFS, syscall.ENOMEM: ENOBUFS,
		syscall.ENOPROTOOPT: ENOPROTOOPT, syscall.ENOTCONN: ENOTCONN, syscall.EPIPE: EPIPE,
		syscall.EPROTONOSUPPORT: EPROTONOSUPPORT, syscall.EPROTOTYPE: EPROTOTYPE, syscall.ETIMEDOUT: ETIMEDOUT,
		syscall.EMFILE: ENFILE, syscall.ENFILE: ENFILE, syscall.EAGAIN: sys.EAGAIN, syscall.EINTR: sys.EINTR,
		syscall.EINVAL: sys.EINVAL, syscall.EBADF: sys.EBADF, syscall.EACCES: sys.EACCES, syscall.EPERM: sys.EPERM,
	}[number]; ok {
		return errno
	}
	return sys.EIO
}
