//go:build linux

package worker

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// What the host sends once the image is built: orderOpen with a descriptor, or
// orderCancel with a number.
const (
	orderSize   = 9 // a letter and a u64, which orderOpen leaves zero
	orderOpen   = 'o'
	orderCancel = 'c'
)

var errOrder = errors.New("worker: the host sent an order that does not exist")

// receive returns either the socket of a new instance or the number of one to
// cancel. Orders have one size, so that none is read together with the next:
// the kernel never merges a message that carries a descriptor with another.
func (w *child) receive() (socket *os.File, cancel uint64, err error) {
	var b [orderSize]byte
	rights := make([]byte, unix.CmsgSpace(4))
	n, used, err := readFull(w.control, b[:], rights)
	if err != nil {
		return nil, 0, err
	}
	switch {
	case n != orderSize:
		return nil, 0, io.ErrUnexpectedEOF
	case b[0] == orderOpen:
		socket, err = descriptorIn(rights[:used])
		return socket, 0, err
	case b[0] == orderCancel:
		return nil, binary.LittleEndian.Uint64(b[1:]), nil
	}
	return nil, 0, errOrder
}

// readFull reads an order and the rights that came with its first byte.
func readFull(c *net.UnixConn, b, rights []byte) (n, used int, err error) {
	for n < len(b) {
		more, oob, _, _, err := c.ReadMsgUnix(b[n:], rights[used:])
		n, used = n+more, used+oob
		if err != nil {
			return n, used, err
		}
		if more == 0 {
			return n, used, io.EOF
		}
	}
	return n, used, nil
}

func descriptorIn(rights []byte) (*os.File, error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		return nil, errors.Join(errOrder, err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.Join(errOrder, err)
	}
	// The socket was made non-blocking, so that the poller waits for it.
	return os.NewFile(uintptr(fds[0]), "instance"), nil
}
