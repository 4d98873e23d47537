package wasi

import (
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// interest is a socket and what somebody waits for.
type interest struct {
	*socket
	want readiness
}

// met tells what of it has come. An end of the connection wakes whoever waits for anything.
func (i interest) met() readiness {
	r := i.ready()
	if r&hungUp != 0 {
		return r & (i.want | hungUp)
	}
	return r & i.want
}

// await returns when any of the interests is met or the timeout is over; below 0 there is none. EINTR says that the
// request has ended, or the call, of which called is the end or nil. The guest holds no CPU slot meanwhile.
func (s *Sandbox) await(called <-chan struct{}, interests []interest, timeout time.Duration) sys.Errno {
	var end <-chan time.Time
	if timeout >= 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		end = timer.C
	}
	call(s.before)
	defer call(s.after)
	request := s.requestContext().Done()
	for {
		expired, over := s.watchOnce(interests, end, called, request)
		switch {
		case over:
			return sys.EINTR
		case expired || anyMet(interests):
			return 0
		}
	}
}

// watchOnce waits until something may have happened.
func (s *Sandbox) watchOnce(interests []interest, end <-chan time.Time, called, request <-chan struct{}) (expired, over bool) {
	woken := make(chan struct{}, 1)
	wake := func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}
	for _, i := range interests {
		stop := i.watch(wake)
		defer stop()
	}
	if anyMet(interests) {
		return false, false
	}
	select {
	case <-woken:
	case <-end:
		expired = true
	case <-called:
		over = true
	case <-request:
		over = true
	}
	return expired, over
}

func anyMet(interests []interest) bool {
	for _, i := range interests {
		if i.met() != 0 {
			return true
		}
	}
	return false
}

// watch watches all endpoints of the socket. One that waits for its meter is looked at when that is over.
func (i interest) watch(wake func()) (stop func()) {
	var stops []func()
	for _, e := range i.ends() {
		if pause := e.pause(); pause > 0 {
			timer := time.AfterFunc(pause, wake)
			stops = append(stops, func() { timer.Stop() })
			continue
		}
		stops = append(stops, e.watch(i.want, wake))
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// noTimeout waits until the request ends.
const noTimeout time.Duration = -1
