package sandbox

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wasgi/wasgi/abi"
)

// ErrClientGone is what a [Responder] returns when nobody is left to read the
// response. The guest sees EPIPE, stops iterating and calls close().
var ErrClientGone = errors.New("sandbox: the client has gone")

// Kind says why a call into a guest failed. Only KindException leaves the
// instance usable.
type Kind int

// The kinds.
const (
	KindException Kind = iota + 1 // Python raised and nobody caught it; Traceback holds what was logged
	KindExit                      // the guest called proc_exit; Code holds its argument
	KindTrap                      // the guest executed an illegal instruction: abort(), stack overflow
	KindTimeout                   // the deadline or the CPU limit has passed
	KindCanceled                  // the context of the call was cancelled
	KindMemory                    // the tenant's or the host's memory limit was reached
	KindInvalid                   // the guest or a message broke the contract of package abi
	KindHost                      // the host failed or used an instance wrongly
)

// String names the kind in words for a log.
func (k Kind) String() string {
	names := []string{"exception", "exit", "trap", "timeout", "canceled", "out of memory", "invalid", "host failure"}
	if k < 1 || int(k) > len(names) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return names[k-1]
}

// Error is the error of every call into a guest.
type Error struct {
	Kind      Kind
	Op        string     // which call: "boot", "load", "request" …
	Tenant    string     // Spec.Name
	Status    abi.Status // what the guest returned, for KindException, KindMemory and KindInvalid
	Code      int        // argument of proc_exit, for KindExit
	Detail    string     // one sentence for the operator
	Traceback string     // Python's, cut at 64 KiB; empty if none was logged
	Err       error      // the cause, if another error is
}

// Error says what failed, for which tenant and why, in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("sandbox: ")
	if e.Tenant != "" {
		b.WriteString(e.Tenant + ": ")
	}
	b.WriteString(e.Op + ": " + e.Kind.String())
	if e.Kind == KindExit {
		fmt.Fprintf(&b, " with code %d", e.Code)
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if last := lastLine(e.Traceback); last != "" {
		b.WriteString(": " + last)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// lastLine is the part of a traceback that names the exception.
func lastLine(s string) string {
	s = strings.TrimRight(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// hostError is an error of the host's own work: a budget's refusal, or a fault.
func hostError(err error) *Error {
	if errors.Is(err, errNoMemory) {
		return &Error{Kind: KindMemory, Err: err}
	}
	return &Error{Kind: KindHost, Err: err}
}

// statusError turns what an export returned into an error, nil for StatusOK.
func statusError(status abi.Status, traceback string) *Error {
	if status == abi.StatusOK {
		return nil
	}
	e := &Error{Status: status, Traceback: traceback}
	switch status {
	case abi.StatusException:
		e.Kind = KindException
	case abi.StatusMemory:
		e.Kind = KindMemory
		e.Detail = "the guest has no memory left: raise the memory limit"
	case abi.StatusEntry:
		e.Kind = KindInvalid
		e.Detail = "the entry point does not exist or is not callable"
	default:
		e.Kind = KindInvalid
		e.Detail = "the guest answered: " + status.String()
	}
	return e
}
