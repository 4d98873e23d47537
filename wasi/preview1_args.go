package wasi

import "github.com/tetratelabs/wazero/experimental/sys"

// Arguments and environment are this package's own, so that nothing of a tenant is in wazero's part of an instance:
// it can be made before anybody knows whose it will be.

func argsSizesGet(c guestCall) sys.Errno    { return c.putSizes(c.policy.Args) }
func argsGet(c guestCall) sys.Errno         { return c.putStrings(c.policy.Args) }
func environSizesGet(c guestCall) sys.Errno { return c.putSizes(c.policy.Env) }
func environGet(c guestCall) sys.Errno      { return c.putStrings(c.policy.Env) }

// putSizes writes how many texts there are and how many bytes they take with a NUL behind each.
func (c guestCall) putSizes(texts []string) sys.Errno {
	size := 0
	for _, t := range texts {
		size += len(t) + 1
	}
	if errno := c.putU32(c.u32(0), uint32(len(texts))); errno != 0 {
		return errno
	}
	return c.putU32(c.u32(1), uint32(size))
}

// putStrings writes the address of each text to the first argument, and the texts to the second. It writes nothing
// when a part of either lies outside memory.
func (c guestCall) putStrings(texts []string) sys.Errno {
	size := 0
	for _, t := range texts {
		size += len(t) + 1
	}
	if _, errno := c.bytes(c.u32(0), uint32(4*len(texts))); errno != 0 {
		return errno
	}
	buf, errno := c.bytes(c.u32(1), uint32(size))
	if errno != 0 {
		return errno
	}
	at := 0
	for i, t := range texts {
		if errno := c.putU32(c.u32(0)+uint32(4*i), c.u32(1)+uint32(at)); errno != 0 {
			return errno
		}
		at += copy(buf[at:], t)
		buf[at] = 0
		at++
	}
	return 0
}
