package postgres

import "sync"

// ledger knows what a session owes: whether the server has answered everything,
// and whether a transaction is open. Both directions write to it.
type ledger struct {
	mu       sync.Mutex
	up, down frames
	owed     int  // answers that end in ReadyForQuery and have not come
	unsynced bool // messages have gone whose Sync has not
	tx       byte // of the last ReadyForQuery: 'I', 'T' or 'E'
	bad      bool // nothing is known any more
}

// sent takes bytes of the guest, before they go on. pass is how many of them go to
// the server; over says that the guest has ended the session, or broken it.
func (l *ledger) sent(b []byte) (pass int, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad {
		return 0, true
	}
	n, err := l.up.scan(b, func(kind, _ byte) bool {
		switch kind {
		case 'Q', 'F':
			l.owed++
		case 'S':
			l.owed++
			l.unsynced = false
		case 'P', 'B', 'E', 'D', 'C', 'H':
			l.unsynced = true
		case 'd', 'c', 'f': // of COPY, which has its answer already
		case 'X':
			over = true
		default:
			l.bad, over = true, true
		}
		return !over
	})
	if err != nil {
		l.bad = true
		return 0, true
	}
	if !over {
		return n, false
	}
	if n -= int(l.up.size()) + 1; n < 0 { // the message that ended it stays here
		l.bad = true // its beginning has gone already
	}
	return max(n, 0), true
}

// received takes bytes of the server, before they go on. They do, whatever they are.
func (l *ledger) received(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad {
		return
	}
	_, err := l.down.scan(b, func(kind, last byte) bool {
		if kind == 'Z' {
			l.owed--
			l.tx = last
			l.bad = l.bad || l.down.size() != 5 || l.owed < 0
		}
		return true
	})
	l.bad = l.bad || err != nil
}

// settled says that the server has answered everything, and waits for more.
func (l *ledger) settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.bad && l.owed == 0 && !l.unsynced && l.up.whole() && l.down.whole() &&
		(l.tx == 'I' || l.tx == 'T' || l.tx == 'E')
}

// inTransaction says that the last session has left one open.
func (l *ledger) inTransaction() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tx != 'I'
}

// broken says that somebody has left the protocol.
func (l *ledger) broken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bad
}
