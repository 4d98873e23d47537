// Package bolt is the embedded backend of host/store: one file that one process
// has open, in which a write is there as a whole or not at all, also after
// kill -9 and after a power cut (go.etcd.io/bbolt).
//
//	bucket   key    value
//	entries  key    revision, 8 bytes big-endian, then the value
//
// Leases live in memory: the file is locked by its process, so when another one
// opens it nobody is left who could hold any.
package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/wasgi/wasgi/host/store"
)

// Store is a file. It implements store.Store.
type Store struct {
	db       *bbolt.DB
	now      func() time.Time
	watchers store.Watchers
	life     context.Context
	end      context.CancelFunc
	writing  sync.Mutex // held from a change until its watchers know it
	leases   leases
}

// lockPatience is how long another process that has the file open is waited for.
const lockPatience = time.Second

// Open opens the file, which is made with mode 0600 when it is not there. now
// decides about leases; nil is the system's clock. It fails when another process
// has the file open, and when it is no such file.
func Open(path string, now func() time.Time) (*Store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockPatience})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("the state in %s is in use by another process: stop that one first", path)
	}
	if err != nil {
		return nil, fmt.Errorf("the state in %s cannot be opened: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(entries())
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the state in %s cannot be written: %w", path, err), db.Close())
	}
	if now == nil {
		now = time.Now
	}
	s := &Store{db: db, now: now}
	s.life, s.end = context.WithCancel(context.Background())
	return s, nil
}

// Copy writes a consistent copy of the file, while others read and write.
func (s *Store) Copy(w io.Writer) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
}

func entries() []byte { return []byte("entries") }

// Close implements store.Store.
func (s *Store) Close() error {
	s.end()
	s.watchers.Wait()
	return s.db.Close()
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key string) (e store.Entry, err error) {
	if err := errors.Join(ctx.Err(), store.CheckKey(key)); err != nil {
		return e, err
	}
	err = s.db.View(func(tx *bbolt.Tx) error {
		e, err = find(tx, key)
		return err
	})
	return e, err
}

// find reads an entry and copies it: bbolt's memory is its own.
func find(tx *bbolt.Tx, key string) (store.Entry, error) {
	row := tx.Bucket(entries()).Get([]byte(key))
	if row == nil {
		return store.Entry{}, fmt.Errorf("%s: %w", key, store.ErrNotFound)
	}
	return entryOf(key, row)
}

func entryOf(key string, row []byte) (store.Entry, error) {
	if len(row) < 8 {
		return store.Entry{}, fmt.Errorf("%s: the entry is damaged: restore the state from a backup", key)
	}
	return store.Entry{Key: key, Value: bytes.Clone(row[8:]), Revision: store.Revision(binary.BigEndian.Uint64(row))}, nil
}

// CompareAndSet implements store.Store.
func (s *Store) CompareAndSet(ctx context.Context, key string, value []byte, at store.Revision) (now store.Revision, err error) {
	if err := errors.Join(ctx.Err(), store.CheckWrite(key, value)); err != nil {
		return 0, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	err = s.db.Update(func(tx *bbolt.Tx) error {
		if err := expect(tx, key, at); err != nil {
			return err
		}
		if now, err = next(tx); err != nil {
			return err
		}
		row := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(value)), uint64(now))
		return tx.Bucket(entries()).Put([]byte(key), append(row, value...))
	})
	if err != nil {
		return 0, err
	}
	s.watchers.Tell(store.Event{Entry: store.Entry{Key: key, Value: bytes.Clone(value), Revision: now}})
	return now, nil
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, key string, at store.Revision) (err error) {
	if err := errors.Join(ctx.Err(), store.CheckKey(key)); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	var now store.Revision
	err = s.db.Update(func(tx *bbolt.Tx) error {
		if _, err := find(tx, key); err != nil {
			return err
		}
		if err := expect(tx, key, at); err != nil {
			return err
		}
		if now, err = next(tx); err != nil {
			return err
		}
		return tx.Bucket(entries()).Delete([]byte(key))
	})
	if err != nil {
		return err
	}
	s.watchers.Tell(store.Event{Entry: store.Entry{Key: key, Revision: now}, Deleted: true})
	return nil
}

func expect(tx *bbolt.Tx, key string, at store.Revision) error {
	e, err := find(tx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if e.Revision != at {
		return fmt.Errorf("%s: %w", key, store.ErrConflict)
	}
	return nil
}

func next(tx *bbolt.Tx) (store.Revision, error) {
	n, err := tx.Bucket(entries()).NextSequence()
	return store.Revision(n), err
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix string) (all []store.Entry, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = s.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(entries()).Cursor()
		for key, row := c.Seek([]byte(prefix)); key != nil && bytes.HasPrefix(key, []byte(prefix)); key, row = c.Next() {
			e, err := entryOf(string(key), row)
			if err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	})
	return all, err
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, prefix string) (<-chan store.Event, error) {
	if err := errors.Join(ctx.Err(), s.life.Err()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(s.life, cancel)
	return s.watchers.Watch(ctx, prefix), nil
}
