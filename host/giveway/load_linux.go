package giveway

import (
	"math"
	"runtime"
	"runtime/metrics"
	"sync"
)

// window is how many looks it takes to learn how many goroutines rest in system calls.
const window = 256

// load looks at the processors of the runtime. It is safe for concurrent use.
type load struct {
	mu      sync.Mutex
	samples [3]metrics.Sample
	looks   int
	// How many goroutines are in system calls at least: those wait there, for signals
	// for one, and hold no processor. In the last window, and in this one until now.
	resting, lowest uint64
}

func newLoad() *load {
	l := &load{resting: math.MaxUint64, lowest: math.MaxUint64, samples: [3]metrics.Sample{
		{Name: "/sched/goroutines/running:goroutines"},
		{Name: "/sched/goroutines/not-in-go:goroutines"},
		{Name: "/sched/gomaxprocs:threads"},
	}}
	l.idle()
	return l
}

// idle says whether a processor of the runtime and one of the machine have nothing to
// do. A thread waits for sockets there, and runs who reads from them at once. It would
// find a goroutine that waits for an eventfd too, be woken for it, and take it along to
// another core: of a deploy's processor time that was an eighth or more (see DESIGN.md
// of host).
//
// A goroutine in a system call may hold a processor: without counting those, a reader was
// found 11 ms late while another goroutine wrote to files (p90; 24 µs with them).
//
// It takes 0.1 µs (runtime/metrics).
func (l *load) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	metrics.Read(l.samples[:])
	running, away, most := l.samples[0].Value.Uint64(), l.samples[1].Value.Uint64(), l.samples[2].Value.Uint64()
	l.learn(away)
	return running+away-l.resting < min(most, uint64(runtime.NumCPU()))
}

// learn makes resting at most away.
func (l *load) learn(away uint64) {
	l.lowest = min(l.lowest, away)
	if l.looks++; l.looks == window {
		l.looks, l.resting, l.lowest = 0, l.lowest, math.MaxUint64
	}
	l.resting = min(l.resting, away)
}
