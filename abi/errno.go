package abi

import "strconv"

// Errno is the reason why a host import refused. The guest sees it negated.
type Errno int32

// The error numbers. Zero is success.
const (
	OK      Errno = 0
	EINVAL  Errno = 1 // the message is malformed or a flag is unknown
	EFAULT  Errno = 2 // a pointer or length lies outside linear memory
	E2BIG   Errno = 3 // above a limit of this contract
	ESTATE  Errno = 4 // not now: wrong order of calls
	EPIPE   Errno = 5 // the client has gone
	EIO     Errno = 6 // the host failed to read or write
	EACCESS Errno = 7 // the tenant's policy forbids it
)

// String names the number as the C header does.
func (e Errno) String() string {
	names := []string{"OK", "EINVAL", "EFAULT", "E2BIG", "ESTATE", "EPIPE", "EIO", "EACCESS"}
	if e < 0 || int(e) >= len(names) {
		return "Errno(" + strconv.Itoa(int(e)) + ")"
	}
	return names[e]
}

// Error makes Errno an error.
func (e Errno) Error() string { return "abi: " + e.String() }

// Result is the number that a host import returns for e.
func (e Errno) Result() int32 { return -int32(e) }

// Status is what a guest export returns.
type Status int32

// The statuses. Others are treated as StatusInternal.
const (
	StatusOK        Status = 0
	StatusException Status = 1 // Python raised; the traceback was logged
	StatusInvalid   Status = 2 // the message could not be decoded
	StatusState     Status = 3 // wrong order of calls, load before boot for one
	StatusMemory    Status = 4 // no memory
	StatusEntry     Status = 5 // no such module or attribute, or not callable
	StatusInternal  Status = 6 // the gateway itself failed
)

// String names the status in words for a log.
func (s Status) String() string {
	switch s {
	case StatusOK:
		return "ok"
	case StatusException:
		return "exception"
	case StatusInvalid:
		return "invalid message"
	case StatusState:
		return "wrong state"
	case StatusMemory:
		return "no memory"
	case StatusEntry:
		return "no such entry point"
	case StatusInternal:
		return "internal error"
	default:
		return "Status(" + strconv.Itoa(int(s)) + ")"
	}
}

// LogLevel says what a text handed to log is.
type LogLevel int32

// The levels.
const (
	LogErrors    LogLevel = 0 // written to wsgi.errors
	LogTraceback LogLevel = 1 // traceback of an exception the app did not catch
	LogGateway   LogLevel = 2 // a diagnosis by the gateway itself
)

// Valid says whether l is one of the levels.
func (l LogLevel) Valid() bool { return l >= LogErrors && l <= LogGateway }
