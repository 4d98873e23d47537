package sandbox

import (
	"errors"
	"io"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/wasi"
)

// Presence is what a Responder may implement besides: Gone says whether the
// client has left, for an application that has nothing to write for a while. It
// must not block.
type Presence interface{ Gone() bool }

// Flusher is what a Responder may implement besides: Flush sends the head before
// there is a byte of the body. It comes after Start and fails as Write does.
type Flusher interface{ Flush() error }

// Hinter is what a Responder may implement besides: Hints sends headers as 103
// Early Hints, before Start, at most abi.MaxHints times. It fails as Write does.
type Hinter interface {
	Hints(headers []abi.Pair) error
}

// FileSender is what a Responder may implement besides: SendFile sends size
// bytes of a file from offset on as the last ones of the body, as one Write with
// last would. f is valid during the call only, but for what its Keep returns. It
// fails as Write does, or with an error that wraps ErrFile. Whoever does not
// implement it gets the bytes through Write.
type FileSender interface {
	SendFile(f wasi.Regular, offset, size int64) error
}

// ErrFile is the error of a file that could not be read to its end.
var ErrFile = errors.New("sandbox: the file could not be read")

// filePiece is how much of a file is in memory at once.
const filePiece = 64 << 10

// EachPiece reads size bytes of a file, at least one piece, and gives them to
// write one after the other.
func EachPiece(f io.ReaderAt, offset, size int64, write func(p []byte, last bool) error) error {
	buffer := make([]byte, min(size, filePiece))
	for {
		p := buffer[:min(size, filePiece)]
		if n, err := f.ReadAt(p, offset); n < len(p) {
			return errors.Join(ErrFile, err)
		}
		size -= int64(len(p))
		offset += int64(len(p))
		if err := write(p, size == 0); err != nil || size == 0 {
			return err
		}
	}
}

func (x *exchange) sendFile(f wasi.Regular, offset, size int64) error {
	if err := x.start(); err != nil {
		return err
	}
	x.last = true
	if s, ok := x.responder.(FileSender); ok {
		return s.SendFile(f, offset, size)
	}
	return EachPiece(f, offset, size, x.responder.Write)
}

// flush sends the head, if the Responder knows how to.
func (x *exchange) flush() error {
	if err := x.start(); err != nil {
		return err
	}
	if f, ok := x.responder.(Flusher); ok {
		return f.Flush()
	}
	return nil
}

// responseFile has parameters wider than hostFunction's.
func (in *Instance) responseFile(fd uint32, offset, limit int64) int64 {
	x := &in.exchange
	switch {
	case !x.hasHead || x.last:
		return int64(abi.ESTATE.Result())
	case offset < 0 || limit < 0:
		return int64(abi.EINVAL.Result())
	}
	f, errno := in.sandbox.Regular(fd)
	if errno != 0 {
		return int64(abi.EINVAL.Result())
	}
	size := min(max(f.Size()-offset, 0), limit)
	err := in.outside(func() error { return x.sendFile(f, offset, size) })
	switch {
	case errors.Is(err, ErrFile):
		return int64(abi.EIO.Result())
	case err != nil:
		return int64(abi.EPIPE.Result())
	}
	return size
}

func (in *Instance) responseHints(p [3]uint32) int32 {
	x := &in.exchange
	switch {
	case x.responder == nil || x.started:
		return abi.ESTATE.Result()
	case p[1] > abi.MaxResponseHead:
		return in.outOfBoundsOr(p[0], p[1], abi.E2BIG)
	case x.hints == abi.MaxHints:
		return abi.E2BIG.Result()
	}
	view, ok := in.view(p[0], p[1])
	if !ok {
		return abi.EFAULT.Result()
	}
	headers, err := abi.DecodeHints(view)
	if err != nil {
		return result(err, abi.EINVAL)
	}
	x.hints++
	h, ok := x.responder.(Hinter)
	if ok && in.outside(func() error { return h.Hints(headers) }) != nil {
		x.gone = true
		return abi.EPIPE.Result()
	}
	return 0
}

// present answers whether the client is still there.
func (in *Instance) present() int32 {
	p, ok := in.exchange.responder.(Presence)
	if ok && p.Gone() {
		in.exchange.gone = true
		return abi.EPIPE.Result()
	}
	return 0
}
