// Package wire is the language between the host and a worker process: frames
// on a stream socket, and what is in them. Package worker says who sends what
// when.
//
// A frame is a u32 length of the payload, a type byte and the payload; integers
// are little-endian, as in package abi.
//
// The host takes every byte from a worker for an attacker's: a length is
// compared with a limit before anything is allocated, decoders are iterative
// and fail with [ErrMalformed] on a byte too few or too many, and a type that
// is not expected is an error of the caller. Nothing here blocks but the
// socket.
package wire
