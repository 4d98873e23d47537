package postgres

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// FuzzOpening: whatever a guest begins with, it is read within bounds, and who is
// asked for is told apart from everybody else.
func FuzzOpening(f *testing.F) {
	for _, seed := range []string{
		"\x00\x00\x00\x08\x04\xd2\x16\x2f\x00\x00\x00\x12\x00\x03\x00\x00user\x00ada\x00\x00p\x00\x00\x00\x0bsecret\x00",
		"\x00\x00\x00\x10\x04\xd2\x16\x2e\x00\x00\x00\x01\x01\x02\x03\x04",
		"\x00\x00\x00\x08\x00\x03\x00\x00", "\x00\x00\x00\x09\x00\x03\x00\x02\x00", "\xff\xff\xff\xff", "\x00\x00\x27\x11",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bufio.NewReader(bytes.NewReader(in))
		o, err := readOpening(r, io.Discard)
		if err != nil || o.startup == nil {
			return
		}
		w, rest, err := whoOf(o.startup)
		if err != nil {
			return
		}
		if rest["user"]+rest["database"]+rest["replication"] != "" || w.user == "" || w.database == "" {
			t.Errorf("%+v %v", w, rest)
		}
		again := &pgproto3.StartupMessage{Parameters: map[string]string{"user": w.user, "database": w.database}}
		for name, value := range rest {
			again.Parameters[name] = value
		}
		if same, _, err := whoOf(again); err != nil || same != w {
			t.Errorf("%+v is %+v with the same parameters: %v", w, same, err)
		}
		if password, err := readPassword(r); err == nil && len(password) > maxPassword {
			t.Errorf("a password of %d bytes", len(password))
		}
	})
}

// FuzzLedger: the bytes decide, not how they are cut, and nothing unknown counts as
// settled.
func FuzzLedger(f *testing.F) {
	f.Add([]byte("Q\x00\x00\x00\x06x\x00"), []byte("Z\x00\x00\x00\x05I"), uint8(3))
	f.Add([]byte("P\x00\x00\x00\x08\x00\x00\x00\x00S\x00\x00\x00\x04X\x00\x00\x00\x04Q"), []byte("C\x00\x00\x00\x05xZ\x00\x00\x00\x05T"), uint8(1))
	f.Add([]byte("!\x00\x00\x00\x04"), []byte("Z\x00\x00\x00\x04"), uint8(2))
	f.Fuzz(func(t *testing.T, up, down []byte, cut uint8) {
		whole, pieces := &ledger{tx: 'I'}, &ledger{tx: 'I'}
		n, over := whole.sent(up)
		if n < 0 || n > len(up) || !over && n != len(up) || over && whole.broken() && whole.settled() {
			t.Fatalf("%d of %d bytes go on", n, len(up))
		}
		whole.received(down)
		for b := up; len(b) > 0; {
			piece := b[:min(int(cut)+1, len(b))]
			if _, over := pieces.sent(piece); over {
				break
			}
			b = b[len(piece):]
		}
		for b := down; len(b) > 0; b = b[min(int(cut)+1, len(b)):] {
			pieces.received(b[:min(int(cut)+1, len(b))])
		}
		// A farewell that came in pieces has gone in part already: that is never settled.
		if pieces.settled() && !whole.settled() {
			t.Errorf("settled in pieces of %d, and not at once", cut+1)
		}
		if whole.settled() && bytes.Count(down, []byte{'Z'}) == 0 && bytes.ContainsAny(up[:n], "QFS") && whole.owed != 0 {
			t.Error("nothing was answered")
		}
	})
}
