package wasi

import "time"

// tollEvery is how much time the functions of this package may take before OnToll's function hears of it.
const tollEvery = time.Millisecond

// toll sums up what a guest's calls take. A guest can call a slow function again and again in a loop whose turns cost
// next to nothing: whoever counts turns only finds out late.
type toll struct {
	taken time.Duration
	paid  func()
}

// OnToll sets what is called, at the end of a WASI function, each time such functions have taken another millisecond.
// nil is allowed.
func (t *toll) OnToll(paid func()) { t.paid = paid }

// took adds the time of one function.
func (t *toll) took(d time.Duration) {
	if t.taken += d; t.taken < tollEvery {
		return
	}
	t.taken = 0
	call(t.paid)
}
