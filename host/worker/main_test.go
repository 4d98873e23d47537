//go:build linux

package worker

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/worker/wire"
)

// TestMain turns this binary into a worker, which runs the guest, or does the
// mischief, that its argument names.
func TestMain(m *testing.M) {
	// The jail's own test for a binary with cgo, which cannot be a worker.
	_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_GETPID, 0, 0, 0)
	switch {
	case errno == syscall.ENOTSUP:
		fmt.Println("worker: skipped, this test binary was built with cgo: set CGO_ENABLED=0, as make test does")
		return
	case len(os.Args) != 3 || os.Args[1] != "worker":
		goleak.VerifyTestMain(m)
		return
	}
	if err := beWorker(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func beWorker(name string) error {
	if do := mischiefs()[name]; do != nil {
		return mischief(do)
	}
	module := guests()[name]
	if module == nil {
		return fmt.Errorf("no guest %q", name)
	}
	var empty bytes.Buffer
	if err := zip.NewWriter(&empty).Close(); err != nil {
		return err
	}
	root, err := zip.NewReader(bytes.NewReader(empty.Bytes()), int64(empty.Len()))
	if err != nil {
		return err
	}
	return Main(Guest{Module: module, RootFS: root})
}

// guests are those of the kit and a few more.
func guests() map[string][]byte {
	all := map[string][]byte{
		"sleep":             tck.Sleep(5 * time.Millisecond),
		"obedient":          tck.Obedient(),
		"endless":           tck.Stream(1<<30, 1),
		"large pieces":      tck.Stream(3, 200_000),
		"prints":            tck.Print(abi.ExportLoad),
		"exception at load": tck.ExceptionIn(abi.ExportLoad),
		"no entry":          tck.StatusIn(abi.ExportLoad, abi.StatusEntry),
		"exit at restore":   tck.ExitIn(abi.ExportAfterRestore, 3),
	}
	for _, g := range tck.All() {
		all[g.Name] = g.Module
	}
	return all
}

// mischiefs are workers that were taken over. They get the control connection
// after the job was read.
func mischiefs() map[string]func(*child) error {
	end := func(o wire.Outcome) func(*wire.Conn) error {
		return func(c *wire.Conn) error { return c.Send(wire.End, wire.Result{Outcome: o}.Append) }
	}
	raw := func(t wire.Type, payload ...byte) func(*wire.Conn) error {
		return func(c *wire.Conn) error {
			return c.Send(t, func(b []byte) []byte { return append(b, payload...) })
		}
	}
	head, _ := abi.ResponseHead{Status: 200}.Encode()
	broken, _ := abi.ResponseHead{Status: 200, Headers: []abi.Pair{{Key: "X", Value: "a\r\nb"}}}.Encode()
	hints, _ := abi.ResponseHead{Status: abi.StatusHints}.Encode()
	piece := func(p wire.Piece) func(*wire.Conn) error {
		return func(c *wire.Conn) error { return c.Send(wire.Write, p.Append) }
	}
	return map[string]func(*child) error{
		"silent at start":  func(*child) error { return forever() },
		"dies at start":    func(*child) error { os.Exit(9); return nil },
		"garbage at start": func(w *child) error { return shout(w, 0xff) },
		"huge at start":    func(w *child) error { return shout(w, binary.LittleEndian.AppendUint32(nil, wire.MaxReply+1)...) },
		"jailed twice": func(w *child) error {
			_ = pretend(w)
			_ = w.send(wire.Jailed, func(b []byte) []byte { return append(b, "{}"...) })
			return forever()
		},
		"built outside":      func(w *child) error { _ = w.send(wire.Built, nil); return forever() },
		"fails with nothing": func(w *child) error { return w.send(wire.Failed, wire.Outcome{}.Append) },
		"built twice": func(w *child) error {
			_ = pretend(w)
			_ = w.send(wire.Built, nil)
			return forever()
		},
		"forges the tenant": func(w *child) error {
			w.line(wire.LogLine{Source: wire.FromLogger, Level: 1000, Text: "forged", Attrs: []abi.Pair{{Key: "tenant", Value: "victim"}}})
			return mislead(w, end(wire.Outcome{Usable: true}), false)
		},
		"hangs": func(w *child) error { return mislead(w, func(*wire.Conn) error { return forever() }, false) },
		"resumes for ever": func(w *child) error {
			return mislead(w, func(c *wire.Conn) error {
				for {
					if err := c.Send(wire.Resume, nil); err != nil {
						return err
					}
					if _, _, err := c.Read(); err != nil {
						return err
					}
				}
			}, false)
		},
		"ends without a head":   func(w *child) error { return mislead(w, end(wire.Outcome{Usable: true}), false) },
		"blames the host":       func(w *child) error { return mislead(w, end(wire.Outcome{Kind: uint8(sandbox.KindHost)}), false) },
		"unknown kind":          func(w *child) error { return mislead(w, end(wire.Outcome{Kind: 200}), false) },
		"unknown frame":         func(w *child) error { return mislead(w, raw(77), false) },
		"frame of the host":     func(w *child) error { return mislead(w, raw(wire.Ack, 0), false) },
		"body without a head":   func(w *child) error { return mislead(w, piece(wire.Piece{Body: []byte("x")}), false) },
		"broken header":         func(w *child) error { return mislead(w, piece(wire.Piece{Head: broken}), false) },
		"short head":            func(w *child) error { return mislead(w, piece(wire.Piece{Head: head[:3]}), false) },
		"reads no body":         func(w *child) error { return mislead(w, raw(wire.Read, 1, 0, 0, 0), false) },
		"reads nothing":         func(w *child) error { return mislead(w, raw(wire.Read, 0, 0, 0, 0), false) },
		"closes the socket":     func(w *child) error { return mislead(w, func(*wire.Conn) error { return abi.EIO }, false) },
		"logs at no level":      func(w *child) error { return mislead(w, raw(wire.Log, 9, 0, 0, 0), false) },
		"huge frame":            func(w *child) error { return mislead(w, raw(wire.End, make([]byte, wire.MaxReply+1)...), false) },
		"two heads":             func(w *child) error { return mislead(w, twice(piece(wire.Piece{Head: head})), false) },
		"a byte after the last": func(w *child) error { return mislead(w, twice(piece(wire.Piece{Head: head, Last: true})), false) },
		"hints of a response":   func(w *child) error { return mislead(w, raw(wire.Hints, head...), false) },
		"hints after the head": func(w *child) error {
			return mislead(w, func(c *wire.Conn) error {
				if err := piece(wire.Piece{Head: head})(c); err != nil {
					return err
				}
				return raw(wire.Hints, hints...)(c)
			}, false)
		},
		"hints without end": func(w *child) error {
			return mislead(w, func(c *wire.Conn) error {
				for {
					if err := raw(wire.Hints, hints...)(c); err != nil {
						return err
					}
					if _, _, err := c.Read(); err != nil {
						return err
					}
				}
			}, false)
		},
		"asks for ever": func(w *child) error {
			return mislead(w, func(c *wire.Conn) error {
				for {
					if err := c.Send(wire.Ask, nil); err != nil {
						return err
					}
					if _, _, err := c.Read(); err != nil {
						return err
					}
				}
			}, false)
		},
		"garbage after an order": func(w *child) error { return mislead(w, nil, true) },
	}
}

func twice(say func(*wire.Conn) error) func(*wire.Conn) error {
	return func(c *wire.Conn) error {
		if err := say(c); err != nil {
			return err
		}
		if _, _, err := c.Read(); err != nil { // the acknowledgement
			return err
		}
		return say(c)
	}
}

func mischief(do func(*child) error) error {
	control, err := openControl()
	if err != nil {
		return err
	}
	w := &child{control: control, wire: wire.NewConn(control, wire.MaxJob)}
	if _, _, err := w.wire.Read(); err != nil {
		return err
	}
	return do(w)
}

// shout sends bytes that are no frame, and goes on.
func shout(w *child, b ...byte) error {
	for range 10 {
		if _, err := w.control.Write(append(b, 0xff, 0xff, 0xff, 0xff, 0xff)); err != nil {
			break
		}
	}
	return forever()
}

// forever is what a worker does that was told to end.
func forever() error {
	for {
		time.Sleep(time.Hour)
	}
}

// pretend says what a worker says that has been built.
func pretend(w *child) error {
	return errors.Join(
		w.send(wire.Jailed, func(b []byte) []byte { return append(b, "{}"...) }),
		w.send(wire.Built, func(b []byte) []byte { return append(b, "{}"...) }))
}

// mislead plays a worker up to the first request of each instance, to which it
// says something of its own, and then goes on for ever.
func mislead(w *child, say func(*wire.Conn) error, garbage bool) error {
	if err := pretend(w); err != nil {
		return err
	}
	for {
		socket, _, err := w.receive()
		if err != nil {
			return forever() // the host has closed the control socket: it must kill
		}
		if garbage {
			return shout(w, 0xff)
		}
		if socket == nil {
			continue
		}
		c := wire.NewConn(socket, wire.MaxCall)
		if err := c.Send(wire.Ready, nil); err != nil {
			return err
		}
		go func() {
			if _, _, err := c.Read(); err != nil || say(c) != nil {
				socket.Close()
			}
		}()
	}
}
