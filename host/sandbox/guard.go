package sandbox

import "runtime"

// guardSpan is how much address space a memory with a guard has, in bytes: what 32 bits
// of address and an offset below 2 GiB reach (experimental.GuardedMemoryAllocator of the
// patched wazero). Whatever a guest does, its accesses are inside of it, and where it has
// no memory the processor stops it.
const guardSpan = 1<<32 + 1<<31

// canFault says whether the patched wazero can catch faults of the code that it makes.
const canFault = runtime.GOOS == "linux" && runtime.GOARCH == "amd64"

// canGuard says whether memories can have a guard: a process whose address space is
// limited (ulimit -v) cannot afford 6 GiB for each instance. Its guests compare each
// access, and are some 15 % slower.
func (e *Engine) canGuard() bool {
	if !canFault {
		return false
	}
	if addressSpaceLimited() {
		e.logger.Warn("guests are slower: the address space of this process is limited; lift that with ulimit -v unlimited or LimitAS=infinity")
		return false
	}
	probe, err := reserve(guardSpan)
	if err != nil {
		e.logger.Warn("guests are slower: there is no address space to guard their memories with", "error", err)
		return false
	}
	return unmap(probe) == nil
}
