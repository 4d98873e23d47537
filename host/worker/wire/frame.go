package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Type says what a frame is.
type Type uint8

// The frames. The comments say who sends them: H the host, W the worker; and on
// which socket: control, of which a process has one, or its own, of which every
// instance has one.
const (
	Build  Type = iota + 1 // H control: the job, as JSON
	Jailed                 // W control: what the kernel granted, as JSON; before any code of the tenant runs
	Built                  // W control: the image is there, as JSON
	Failed                 // W control: it is not, an End; own: the instance could not be made or reset, an End
	Line                   // W control: what the guest said outside of requests, a LogLine
	Open                   // H control: an empty frame that carries the socket of a new instance
	Cancel                 // H control: u64 number of the instance whose request must end now
	Ready                  // W own: the instance can serve
	Serve                  // H own: a Call
	Write                  // W own: a piece of the response, a Piece, or its head alone; the host answers with Ack
	Ack                    // H own: u8, 0 for go on, 1 for the client has gone
	Read                   // W own: u32, how many bytes of the body are wanted; the host answers with Data
	Data                   // H own: a Chunk
	Log                    // W own: u32 level, text
	Pause                  // W own: the guest sleeps
	Resume                 // W own: it does no more; the host answers with Ack
	Yield                  // W own: the guest has run for a while; the host answers with Ack when it may go on
	End                    // W own: the request is over, a Result
	Reset                  // H own: put the instance back; the worker answers with Ready or Failed
	Ask                    // W own: is the client still there? The host answers with Ack
	Hints                  // W own: headers of 103 Early Hints, an encoded abi.ResponseHead; the host answers with Ack
	Print                  // W own: u8 stream, a line that the guest wrote to it
)

// headerSize is the length and the type.
const headerSize = 5

// Limits of a frame's payload.
const (
	MaxJob   = 16 << 20  // host to worker on the control socket
	MaxReply = 640 << 10 // worker to host: a response head, a piece, a traceback and their lengths
	MaxCall  = 1<<20 + 64<<10
	MaxPiece = 64 << 10 // bytes of a body in one frame, in either direction
)

// ErrMalformed is the error of a frame or a message that breaks the rules.
var ErrMalformed = errors.New("wire: malformed")

// Conn is one end of a socket. It belongs to one goroutine at a time; Read and
// Send may be used by two different ones.
type Conn struct {
	in    *bufio.Reader
	to    io.Writer
	limit uint32
	buf   []byte // payload of the frame that was read last
	out   []byte
}

// keep is what a buffer may hold on to between frames.
const keep = 80 << 10

// NewConn reads frames whose payload is at most limit bytes.
func NewConn(rw io.ReadWriter, limit uint32) *Conn {
	return &Conn{in: bufio.NewReaderSize(rw, 8<<10), to: rw, limit: limit}
}

// Read returns the next frame; the payload is valid until the next Read. The
// error is the reader's, io.EOF between two frames, or ErrMalformed.
func (c *Conn) Read() (Type, []byte, error) {
	head, err := c.in.Peek(headerSize)
	if err != nil {
		if errors.Is(err, io.EOF) && len(head) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	t, n := Type(head[4]), binary.LittleEndian.Uint32(head)
	if n > c.limit {
		return 0, nil, fmt.Errorf("%w: a frame of %d bytes, above %d", ErrMalformed, n, c.limit)
	}
	if _, err := c.in.Discard(headerSize); err != nil {
		return 0, nil, err
	}
	if int(n) > cap(c.buf) || cap(c.buf) > keep && n <= keep {
		c.buf = make([]byte, n)
	}
	c.buf = c.buf[:n]
	if _, err := io.ReadFull(c.in, c.buf); err != nil {
		return 0, nil, noEOF(err)
	}
	return t, c.buf, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Send writes one frame. fill, which may be nil, appends the payload.
func (c *Conn) Send(t Type, fill func(b []byte) []byte) error {
	b := append(c.out[:0], 0, 0, 0, 0, byte(t))
	if fill != nil {
		b = fill(b)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-headerSize))
	_, err := c.to.Write(b)
	if c.out = b; cap(b) > keep {
		c.out = nil
	}
	return err
}
