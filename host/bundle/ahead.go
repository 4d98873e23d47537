package bundle

import (
	"errors"
	"io"
)

// How far an archive is decompressed ahead of what is written: bytes of a piece, and
// pieces.
const (
	aheadPiece  = 128 << 10
	aheadPieces = 4
)

// ahead reads in a goroutine of its own, which stop ends: decompressing takes as long
// as writing the files, and they can go on at once.
type ahead struct {
	pieces chan piece    // from the goroutine
	free   chan []byte   // to it
	end    chan struct{} // closed by stop
	ended  chan struct{} // closed when the goroutine is over
	now    piece         // what is being read
	rest   []byte        // of it
}

type piece struct {
	buffer []byte
	bytes  int
	err    error // after the bytes
}

func readAhead(from io.Reader) *ahead {
	a := &ahead{
		pieces: make(chan piece, aheadPieces), free: make(chan []byte, aheadPieces),
		end: make(chan struct{}), ended: make(chan struct{}),
	}
	for range aheadPieces {
		a.free <- make([]byte, aheadPiece)
	}
	go a.run(from)
	return a
}

func (a *ahead) run(from io.Reader) {
	defer close(a.ended)
	for {
		var b []byte
		select {
		case b = <-a.free:
		case <-a.end:
			return
		}
		n, err := io.ReadFull(from, b)
		if errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
			err = nil // the next piece says how it ends
		}
		a.pieces <- piece{b, n, err} // there is room for as many as there are buffers
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.now.err != nil {
			return 0, a.now.err
		}
		if a.now.buffer != nil {
			a.free <- a.now.buffer
		}
		a.now = <-a.pieces
		a.rest = a.now.buffer[:a.now.bytes]
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// stop ends the goroutine and waits for it.
func (a *ahead) stop() {
	close(a.end)
	<-a.ended
}
