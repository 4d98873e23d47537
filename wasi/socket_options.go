package wasi

import (
	"slices"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// option is an option of a socket that guests may see or set.
type option uint8

const (
	optError option = iota
	optType
	optDomain
	optProtocol
	optAccepting
	optReuseAddress
	optBroadcast
	optSendBuffer
	optReceiveBuffer
	optKeepAlive
	optLinger // a value below 0 is off
	optOutOfBandInline
	optNoDelay
	optKeepIdle
	optKeepInterval
	optKeepCount
	optUserTimeout
	optQuickAck
	optOnlySix
	optUnknown
)

// setOption is an option that waits for an endpoint.
type setOption struct {
	option option
	value  int
}

// Levels of options, as wasi-libc numbers them.
const (
	levelSocket = 0x7fffffff
	levelTCP    = 6
	levelIPv6   = 41
)

// optionOf translates the guest's numbers.
func optionOf(level, name uint32) option {
	type key struct{ level, name uint32 }
	known := map[key]option{
		{levelSocket, 2}: optReuseAddress, {levelSocket, 3}: optType, {levelSocket, 4}: optError,
		{levelSocket, 6}: optBroadcast, {levelSocket, 7}: optSendBuffer, {levelSocket, 8}: optReceiveBuffer,
		{levelSocket, 9}: optKeepAlive, {levelSocket, 10}: optOutOfBandInline, {levelSocket, 13}: optLinger,
		{levelSocket, 30}: optAccepting, {levelSocket, 38}: optProtocol, {levelSocket, 39}: optDomain,
		{levelTCP, 1}: optNoDelay, {levelTCP, 4}: optKeepIdle, {levelTCP, 5}: optKeepInterval,
		{levelTCP, 6}: optKeepCount, {levelTCP, 12}: optQuickAck, {levelTCP, 18}: optUserTimeout,
		{levelIPv6, 26}: optOnlySix,
	}
	if o, ok := known[key{level, name}]; ok {
		return o
	}
	return optUnknown
}

// Protocols and kinds of sockets, as wasi-libc numbers them.
const (
	guestDatagram = 5
	guestStream   = 6
	guestInet     = 1
	guestInet6    = 2
	protocolTCP   = 6
	protocolUDP   = 17

	shutRead  = 1
	shutWrite = 2
)

// getOption answers what is fixed, what waits to be set, and what the endpoint knows.
func (s *socket) getOption(o option) (int, sys.Errno) {
	switch o {
	case optUnknown:
		return 0, ENOPROTOOPT
	case optType:
		return choose(s.stream, guestStream, guestDatagram), 0
	case optDomain:
		return choose(s.six, guestInet6, guestInet), 0
	case optProtocol:
		return choose(s.stream, protocolTCP, protocolUDP), 0
	case optAccepting:
		return 0, 0
	case optError:
		return s.takeError()
	case optReuseAddress, optBroadcast, optOnlySix, optOutOfBandInline:
		return s.remembered(o), 0
	}
	if s.end != nil {
		return s.end.getOption(o)
	}
	return s.remembered(o), 0
}

// remembered is what the guest has set last.
func (s *socket) remembered(o option) int {
	for i := len(s.options) - 1; i >= 0; i-- {
		if s.options[i].option == o {
			return s.options[i].value
		}
	}
	return choose(o == optLinger, -1, 0)
}

// remember replaces what was set before: there is one entry for each option.
func (s *socket) remember(set setOption) {
	s.options = slices.DeleteFunc(s.options, func(old setOption) bool { return old.option == set.option })
	s.options = append(s.options, set)
}

// takeError is SO_ERROR: the number that the guest's C library gives to what went wrong, once.
func (s *socket) takeError() (int, sys.Errno) {
	if s.end == nil {
		return 0, 0
	}
	errno := s.outcome()
	return int(toWASI(errno)), 0
}

// setOption sets an option now, and keeps it for the endpoint that is still to come.
func (s *socket) setOption(o option, value int) sys.Errno {
	switch o {
	case optUnknown, optType, optDomain, optProtocol, optAccepting, optError:
		return ENOPROTOOPT
	case optReuseAddress, optBroadcast, optOnlySix, optOutOfBandInline:
		s.remember(setOption{o, value})
		return 0 // nothing is bound, nothing is broadcast: they change nothing
	}
	if s.end != nil {
		return s.end.setOption(o, value)
	}
	s.remember(setOption{o, value})
	return 0
}

func choose(first bool, a, b int) int {
	if first {
		return a
	}
	return b
}
