// Package pool decides which instance serves now. It knows nothing of guests:
// it sees an [Instance], imports the standard library only, and is tested with
// fakes.
//
// # The way of a lease
//
//	Acquire ── slot free? ── no ──► slots' queue, by who has used least
//	              │ yes                      │ granted
//	              ▼                          ▼
//	           idle instance? ── yes ──────────────────────────────────────────► Lease
//	              │ none: the slot is given back                                    ▲
//	              ▼                                                                 │
//	           pool's queue (QueueTimeout) ── instance, from Release or new ── slot free?
//	                                                                                │ no
//	           slots' queue, once more; the instance serves others meanwhile ◄──────┘
//
//	Release ── usable? ─► Reset (Fresh) ─► still young? ─► next in the queue, or idle stack
//	   └────────────────────── no ──► Close, and a new one if somebody needs it
//
// Who comes while all instances are paused, or as many are in use as there may be, goes
// to the pool's queue at once. Both queues are by the time at which a caller came.
//
// The idle stack is last in, first out, but for the instance that last ran in the same
// slot, which goes first: the one whose memory is warm
// serves, and the others age towards IdleTimeout. So a pool has about as many instances at
// work as there are slots, however many clients wait, and more only while some are
// paused. Who waits for an instance holds no slot, so there is no cycle. A holder that
// is silent for too long loses its slot (overdue.go).
//
// A client with a [Seat] keeps the slot until it has its answer and has to be waited
// for, and where instances are reset (Fresh) that is done by then; its next
// request queues behind those who came meanwhile.
//
// # States of an instance
//
//	creating ─► idle ⇄ busy ─► resetting ─► idle
//	    │         │      │         │
//	    └─────────┴──────┴─────────┴──► closed
//
// [State] is the type, transitions the table. A transition that is not in the
// table is a bug of this package and panics.
//
// # Locks
//
// Pool.mu guards everything of a pool, Slots.mu everything of the slots. They
// are never held together, and no method of an Instance and no Config.New is
// called under either.
//
// # Goroutines
//
// One janitor for each pool that has instances (reaps, refills to Min), and one
// for each instance in creation. Close ends and waits for all of them. An uncontended Acquire and
// Release starts none and allocates nothing.
//
// # What it must never do
//
// Hand out an instance that was not reset (Fresh), that is not Usable, or that
// another lease holds; close an instance that a lease holds; lose a slot.
package pool
