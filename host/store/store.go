package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Revision says which write an entry comes from. Every write of a store has a
// greater one than all before it, whatever the key. Zero is that of a key that
// is not there.
type Revision uint64

// Entry is a value under its key.
type Entry struct {
	Key      string
	Value    []byte // the caller's own copy
	Revision Revision
}

// Event says that a key has changed.
type Event struct {
	Entry
	Deleted bool // then Value is nil, and Revision that of the removal
}

// Errors of every backend, to be compared with errors.Is.
var (
	// ErrNotFound says that there is no entry under the key.
	ErrNotFound = errors.New("there is no such entry")
	// ErrConflict says that somebody else has written meanwhile: read again.
	ErrConflict = errors.New("the entry has changed meanwhile")
	// ErrHeld says that somebody else has the lease.
	ErrHeld = errors.New("somebody else is at it")
	// ErrLost says that a lease has run out before it was renewed.
	ErrLost = errors.New("the lease has run out")
	// ErrKey says that a key or prefix cannot be one.
	ErrKey = errors.New("it cannot be a key")
	// ErrTooLarge says that a value has more than MaxValue bytes.
	ErrTooLarge = errors.New("the value is too large")
)

// Limits of keys, in bytes, and of values.
const (
	MaxKey   = 512
	MaxValue = 1 << 20
)

// Store keeps entries. It is safe for concurrent use. Besides the errors that a
// method names there are those of ctx and of the medium, such as a full disk;
// after one of those nothing has changed.
type Store interface {
	// Get reads one entry: ErrNotFound, ErrKey.
	Get(ctx context.Context, key string) (Entry, error)
	// CompareAndSet writes a value if the entry still has the revision at, 0 if it is
	// still not there, and returns the new one: ErrConflict, ErrKey, ErrTooLarge.
	// What it has returned is on the medium.
	CompareAndSet(ctx context.Context, key string, value []byte, at Revision) (Revision, error)
	// Delete removes the entry if it still has the revision at: ErrConflict,
	// ErrNotFound, ErrKey.
	Delete(ctx context.Context, key string, at Revision) error
	// List reads the entries whose keys begin with prefix, in the order of their
	// keys. "" is all of them.
	List(ctx context.Context, prefix string) ([]Entry, error)
	// Watch tells of changes below prefix that are made after it has returned, until
	// ctx ends, which closes the channel. Of changes of one key that nobody has
	// taken yet only the last is told.
	Watch(ctx context.Context, prefix string) (<-chan Event, error)
	// Lease takes the right to do what name stands for, for as long as ttl unless it
	// is renewed or released: ErrHeld, ErrKey.
	Lease(ctx context.Context, name string, ttl time.Duration) (Lease, error)
	// Close frees the store. Watches end.
	Close() error
}

// Lease is a right that nobody else has meanwhile.
type Lease interface {
	// Renew makes it last for its whole time from now on: ErrLost.
	Renew(ctx context.Context) error
	// Release gives it back. One that has run out is none to give back and no error.
	Release(ctx context.Context) error
}

// CheckKey says why a key, or the name of a lease, cannot be one: segments
// without ".", ".." and empty ones, of printable ASCII without spaces, with
// slashes between them, MaxKey bytes at most. The error is ErrKey.
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKey {
		return fmt.Errorf("%q: %w: it has %d bytes, 1 to %d are possible", short(key), ErrKey, len(key), MaxKey)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("%q: %w: a segment of it is empty, a dot or has other characters than printable ASCII", key, ErrKey)
		}
	}
	return nil
}

func short(key string) string { return key[:min(len(key), 40)] }

// CheckWrite says why key and value cannot be written: ErrKey, ErrTooLarge.
func CheckWrite(key string, value []byte) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if len(value) > MaxValue {
		return fmt.Errorf("%s: %w: %d bytes, %d are possible", key, ErrTooLarge, len(value), MaxValue)
	}
	return nil
}
