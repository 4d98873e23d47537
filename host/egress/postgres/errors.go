package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// pgError is an error that a guest is told in PostgreSQL's way.
type pgError struct{ code, text string }

func (e *pgError) Error() string { return e.text }

// Plain is an error whose text may be shown to a guest: it names no address of
// this machine.
type Plain interface {
	error
	Plain() string
}

// answerOf is what a guest is told of an error: what the server has said, or what
// went wrong on the way, without the addresses that errors of package net carry.
func answerOf(err error, server string) *pgproto3.ErrorResponse {
	var theirs *pgconn.PgError
	var ours *pgError
	switch {
	case errors.As(err, &theirs):
		return &pgproto3.ErrorResponse{
			Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: theirs.Code, Message: theirs.Message, Detail: theirs.Detail, Hint: theirs.Hint,
		}
	case errors.As(err, &ours):
		return fatal(ours.code, ours.text)
	}
	return fatal("08001", "the server "+server+" of network.pool cannot be reached: "+plainly(err))
}

func fatal(code, text string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: code, Message: text}
}

func plainly(err error) string {
	var plain Plain
	var number syscall.Errno
	var lookup *net.DNSError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &plain):
		return plain.Plain()
	case errors.As(err, &number):
		return number.Error()
	case errors.As(err, &lookup):
		return "no address of its name is known"
	case errors.As(err, &cert):
		return cert.Error()
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "it does not answer"
	}
	return "it does not speak as expected, or does not have the TLS that network.pool.tls asks for"
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
