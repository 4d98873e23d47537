package wasi

import (
	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasgi/wasgi/abi"
)

func fdFlock(c guestCall) sys.Errno {
	d, f, errno := c.lockable(c.u32(0))
	if errno != 0 {
		return errno
	}
	operation := c.u32(1)
	kind := operation &^ abi.FlockTry
	switch kind {
	case abi.FlockShared, abi.FlockExclusive, abi.FlockNone:
	default:
		return sys.EINVAL
	}
	return c.lockWhenFree(operation&abi.FlockTry == 0, func() sys.Errno { return c.lockWhole(d, f, kind) })
}

// lockWhole asks the kernel, or for files of which it knows nothing, looks at what this guest's other descriptors hold.
func (s *Sandbox) lockWhole(d *descriptor, f lockable, kind uint32) sys.Errno {
	if kind == abi.FlockNone {
		s.unlockWhole(d, f)
		return 0
	}
	holders := s.locks.whole[f.lockID()]
	if file := f.kernelFile(); file != nil {
		if err := flock(file, kind); err != nil {
			return errnoOf(err)
		}
	} else if blocked(holders, d, kind) {
		return sys.EAGAIN
	}
	if s.locks.whole == nil {
		s.locks.whole = map[any]map[*descriptor]uint32{}
	}
	if holders == nil {
		holders = map[*descriptor]uint32{}
		s.locks.whole[f.lockID()] = holders
	}
	holders[d] = kind
	return 0
}

func blocked(holders map[*descriptor]uint32, d *descriptor, kind uint32) bool {
	for other, held := range holders {
		if other != d && (kind == abi.FlockExclusive || held == abi.FlockExclusive) {
			return true
		}
	}
	return false
}

// unlockWhole is for a descriptor that holds something or nothing. The kernel would wait for the last copy of the file,
// and a response may be sending one.
func (s *Sandbox) unlockWhole(d *descriptor, f lockable) {
	holders := s.locks.whole[f.lockID()]
	if _, held := holders[d]; !held {
		return
	}
	if file := f.kernelFile(); file != nil {
		_ = flock(file, abi.FlockNone)
	}
	delete(holders, d)
	if len(holders) == 0 {
		delete(s.locks.whole, f.lockID())
	}
}
