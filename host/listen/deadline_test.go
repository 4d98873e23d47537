package listen

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// short is a deadline that comes while a test runs; past returns when it has.
const short = 30 * time.Millisecond

func past(t time.Time) { <-time.After(time.Until(t) + time.Millisecond) }

// onceWaits has f called in the goroutine that reads from or writes to c when it first
// has to wait.
func onceWaits(t *testing.T, c net.Conn, f func()) {
	t.Helper()
	first := true
	if !BeforeWait(c, func() {
		if first {
			first = false
			f()
		}
	}) {
		t.Fatal("a gate's connection is none")
	}
}

// TestAReadDeadlineThatNobodyAsksForAnyMore does not end a read: not the one that waits
// when it passes, and not the next one.
func TestAReadDeadlineThatNobodyAsksForAnyMore(t *testing.T) {
	for name, later := range map[string]time.Time{"none": {}, "a later one": time.Now().Add(time.Hour)} {
		t.Run(name, func(t *testing.T) {
			server, client := pair(t, Limits{})
			by := time.Now().Add(short)
			onceWaits(t, server, func() { send(t, client, "spam") })
			err := server.SetReadDeadline(by)
			reads(t, server, 9, "spam") // waits with the deadline
			if err = errors.Join(err, server.SetReadDeadline(later)); err != nil {
				t.Fatal(err)
			}
			onceWaits(t, server, func() { past(by); send(t, client, "eggs") })
			reads(t, server, 9, "eggs")
			send(t, client, "ham")
			arrived(t, server)
			reads(t, server, 9, "ham")
		})
	}
}

// TestAReadDeadlineThatPassedBetweenReads, and was taken back, ends nothing.
func TestAReadDeadlineThatPassedBetweenReads(t *testing.T) {
	server, client := pair(t, Limits{})
	by := time.Now().Add(short)
	onceWaits(t, server, func() { send(t, client, "spam") })
	err := server.SetReadDeadline(by)
	reads(t, server, 9, "spam")
	past(by)
	if err = errors.Join(err, server.SetReadDeadline(time.Time{})); err != nil {
		t.Fatal(err)
	}
	onceWaits(t, server, func() { send(t, client, "eggs") })
	reads(t, server, 9, "eggs")
}

// TestAReadDeadlineComesTrue, however it was asked for.
func TestAReadDeadlineComesTrue(t *testing.T) {
	for name, test := range map[string]struct {
		before    time.Time
		meanwhile bool // a short one is asked for as the read waits
	}{
		"before the read":      {before: time.Now().Add(short)},
		"long before":          {before: time.Unix(1, 0)},
		"by a later one first": {before: time.Now().Add(time.Hour), meanwhile: true},
		"as the read waits":    {meanwhile: true},
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := pair(t, Limits{})
			onceWaits(t, server, func() {
				if test.meanwhile {
					go func() { _ = server.SetReadDeadline(time.Now().Add(short)) }()
				}
			})
			if err := server.SetDeadline(test.before); err != nil {
				t.Fatal(err)
			}
			if n, err := server.Read(make([]byte, 9)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%d, %v", n, err)
			}
			if n, err := server.Read(make([]byte, 9)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("once more: %d, %v", n, err)
			}
		})
	}
}

// TestThePieceThatWaitedLeavesNoDeadline to the next one.
func TestThePieceThatWaitedLeavesNoDeadline(t *testing.T) {
	large := strings.Repeat("x", 16<<20)
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, []byte(large), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(c net.Conn) error{
		"write": func(c net.Conn) error { _, err := io.WriteString(c, large); return err },
		"file": func(c net.Conn) error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = c.(io.ReaderFrom).ReadFrom(&io.LimitedReader{R: f, N: int64(len(large))})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			const stall = time.Second
			server, client := pair(t, Limits{Stall: stall})
			waitsOf(t, server)
			read := make(chan error, 1)
			go func() {
				_, err := io.CopyN(io.Discard, client, int64(len(large)))
				read <- err
			}()
			if err := errors.Join(write(server), <-read); err != nil {
				t.Fatal(err)
			}
			past(time.Now().Add(stall))
			send(t, server, "more")
			reads(t, client, 9, "more")
		})
	}
}
