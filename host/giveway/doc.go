// Package giveway has goroutines that never wait let others go first.
//
// Go looks for sockets that have something to read when a processor has nothing
// else to do, or after 10 ms. A guest that computes keeps its processor busy, and
// so does one next to it: requests of others lie in their sockets unread.
// runtime.Gosched does not help: it asks the queues of goroutines that are known
// to be ready, and finds the caller there. Who waits for a descriptor instead is
// found again only by looking at all of them.
//
// LetTimersBeLate is the other side: Go's own thread that looks after those who do not
// let go takes a processor less often.
//
// It knows nothing of guests.
package giveway
