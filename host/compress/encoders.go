package compress

import (
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Encoders hands out encoders, which are used again and again. It is safe for
// concurrent use.
type Encoders struct {
	seats chan struct{}
	gzips chan encoder
	zstds chan encoder
}

// encoder is what both codings have.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// New bounds how many responses may be compressed at once: an encoder takes up to
// a MiB of memory, and a processor while it works. It makes none yet.
func New(most int) *Encoders {
	return &Encoders{seats: make(chan struct{}, most), gzips: make(chan encoder, most), zstds: make(chan encoder, most)}
}

// window is how far zstd looks back: what a response of some hundred KiB has use
// for, and every client can take (RFC 8878 section 3.1.1.1.2 wants 8 MiB).
const window = 512 << 10

// level of gzip: a third of the time of 6, for some percent of the size.
const level = 3

// take is nil when there are as many as may be.
func (e *Encoders) take(coding string, to io.Writer) encoder {
	select {
	case e.seats <- struct{}{}:
	default:
		return nil
	}
	var out encoder
	select {
	case out = <-e.stock(coding):
	default:
		out = fresh(coding)
	}
	out.Reset(to)
	return out
}

func fresh(coding string) encoder {
	if coding == "gzip" {
		out, _ := gzip.NewWriterLevel(io.Discard, level) // fails for levels that do not exist
		return out
	}
	out, _ := zstd.NewWriter(io.Discard, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true)) // fails for options that do not exist
	return out
}

// give takes an encoder back, whatever state it is in.
func (e *Encoders) give(coding string, used encoder) {
	used.Reset(io.Discard)
	select {
	case e.stock(coding) <- used:
	default:
	}
	<-e.seats
}

func (e *Encoders) stock(coding string) chan encoder {
	if coding == "gzip" {
		return e.gzips
	}
	return e.zstds
}
