package sandbox

import (
	"errors"
	"fmt"
)

// linearMemory is the memory of one instance, made before wazero asks for it
// and given back after wazero has let go of it.
//
//	base                 image.size         size           limit        guardSpan
//	 │  snapshot           │  grown since     │  reserved     │  guard        │
//	 │  copy on write      │  zero, writable  │  PROT_NONE    │  PROT_NONE    │
//	 ├─────────────────────┼──────────────────┼───────────────┼───────────────┤
//	 │◄──────── what the guest sees ─────────►│
//
// An instance that boots has no snapshot part. The address never changes, so
// that growing copies nothing. With a guard, what is out of bounds is where nobody
// may touch anything, and traps by a fault; without one, wazero compares every access with size.
type linearMemory struct {
	base    []byte // as much of the reservation as a guest may ever have
	space   []byte // all of the reservation
	guarded bool
	limit   uint64 // what the guest may have of it
	size    uint64 // what the guest has
	floor   uint64 // what it had when it was restored: this part is not counted
	budget  *Budget
	huge    bool // pages of 2 MiB, where the kernel has some
	refused bool // a growth has been refused in this call
	// everRefused: or in one before.
	everRefused bool
}

// newMemory reserves limit bytes, a multiple of the wasm page size, and what a guard
// needs. No budget pays for it yet.
func newMemory(limit uint64, guarded bool) (*linearMemory, error) {
	size := limit
	if guarded {
		size = guardSpan
	}
	space, err := reserve(size)
	if err != nil {
		return nil, err
	}
	return &linearMemory{base: space[:limit:limit], space: space, guarded: guarded, limit: limit}, nil
}

// view puts the snapshot at the start of the memory. Nothing has to be
// committed up to its end.
func (m *linearMemory) view(s *storage) error {
	if err := m.mapImage(s); err != nil {
		return err
	}
	m.floor = s.size
	return nil
}

// errHole is the error of a reservation that has a hole, where others of this process
// may have mapped something since.
var errHole = errors.New("sandbox: a part of the reservation is lost")

// mapImage puts a new view of the snapshot in place of what is there. A reservation
// with a hole is never unmapped: it may be somebody else's by then.
func (m *linearMemory) mapImage(s *storage) error {
	err := mapPrivate(m.base[:s.size], s.file, s.offset)
	if errors.Is(err, errHole) {
		m.space = nil
	}
	return err
}

// Allocate implements experimental.MemoryAllocator.
func (m *linearMemory) Allocate(_, _ uint64) linear { return m }

// Guards implements experimental.GuardedMemoryAllocator of the patched wazero.
func (m *linearMemory) Guards() bool { return m.guarded }

// Reallocate implements experimental.LinearMemory. nil refuses, and the guest
// sees memory.grow fail.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if size > m.size && !m.extend(size) {
		m.refused, m.everRefused = true, true
		return nil
	}
	m.size = size
	return m.base[:size:size]
}

func (m *linearMemory) extend(size uint64) bool {
	if size > m.limit {
		return false
	}
	from := max(m.size, m.floor)
	if size <= from {
		return true
	}
	if !m.budget.Take(size - from) {
		return false
	}
	if commit(m.base[from:size]) != nil {
		m.budget.Give(size - from)
		return false
	}
	if m.huge {
		preferHuge(m.base[from:size])
	}
	return true
}

// moveTo has another budget pay for the memory, which has no snapshot, and limit it
// further. It does nothing and is false when there is more of it, or the budget has less.
func (m *linearMemory) moveTo(budget *Budget, limit uint64) bool {
	if m.size > limit || limit > uint64(len(m.base)) || !budget.Take(m.size) {
		return false
	}
	m.budget.Give(m.size)
	m.budget, m.limit = budget, limit
	m.refused, m.everRefused = false, false
	return true
}

// Free implements experimental.LinearMemory. wazero calls it inside
// proc_exit, while frames that saw the memory are still live: release, which
// the owner calls, unmaps.
func (m *linearMemory) Free() {}

// release unmaps everything. The memory must not be touched afterwards.
func (m *linearMemory) release() error {
	if m.size > m.floor {
		m.budget.Give(m.size - m.floor)
	}
	m.size = 0
	space := m.space
	m.base, m.space = nil, nil
	if err := unmap(space); err != nil {
		return fmt.Errorf("sandbox: unmapping guest memory: %w", err)
	}
	return nil
}
