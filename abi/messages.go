package abi

import "encoding/binary"

// Keys of the boot message.
const (
	BootMode = "mode" // one of the values below
	BootArg  = "arg"  // one of sys.argv, in order; python's own command line in BootModePython
	BootPath = "path" // one more entry of sys.path, before the standard library's
	BootCwd  = "cwd"  // working directory
)

// Values of BootMode.
const (
	BootModeWSGI   = "wsgi"
	BootModePython = "python"
	// BootModeSpare boots an interpreter that has no application yet. It waits for a
	// second message, with BootModeWSGI, once the host has given the instance the
	// application's folders, behind those it has, and its environment. StatusState
	// answers that one when the application has to have an interpreter of its own.
	BootModeSpare = "spare"
)

// Keys of the load message.
const (
	LoadEntry   = "entry"   // module:attribute, or module:factory() to call a factory
	LoadEnviron = "environ" // NAME=value that every environ carries
)

// Boot is the message of wasgi_boot.
type Boot struct {
	Mode  string   // BootModeWSGI, BootModePython or BootModeSpare
	Args  []string // sys.argv, or python's command line with argv[0]
	Paths []string // entries of sys.path before the standard library's
	Cwd   string   // working directory, absolute
}

// Encode lays the message out; see EncodePairs for the errors.
func (m Boot) Encode() ([]byte, error) {
	pairs := []Pair{{BootMode, m.Mode}, {BootCwd, m.Cwd}}
	for _, a := range m.Args {
		pairs = append(pairs, Pair{BootArg, a})
	}
	for _, p := range m.Paths {
		pairs = append(pairs, Pair{BootPath, p})
	}
	return EncodePairs(pairs)
}

// Load is the message of wasgi_load.
type Load struct {
	Entry   string // module:attribute or module:factory()
	Environ []Pair // what every request's environ carries besides
}

// Encode lays the message out; see EncodePairs for the errors.
func (m Load) Encode() ([]byte, error) {
	pairs := []Pair{{LoadEntry, m.Entry}}
	for _, p := range m.Environ {
		pairs = append(pairs, Pair{LoadEnviron, p.Key + "=" + p.Value})
	}
	return EncodePairs(pairs)
}

// EncodePairs lays out a boot or load message: u32 count, then for each pair
// u32 length of the key, u32 length of the value, key bytes, value bytes. It
// fails with E2BIG above MaxMessage bytes or MaxEntries pairs.
func EncodePairs(pairs []Pair) ([]byte, error) {
	if len(pairs) > MaxEntries {
		return nil, E2BIG
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(pairs)))
	for _, p := range pairs {
		if len(b)+8+len(p.Key)+len(p.Value) > MaxMessage {
			return nil, E2BIG
		}
		b = appendString2(b, p.Key, p.Value)
	}
	return b, nil
}

// DecodePairs is the reverse of EncodePairs.
func DecodePairs(b []byte) ([]Pair, error) {
	if len(b) > MaxMessage {
		return nil, E2BIG
	}
	c := newCursor(b)
	n := c.u32()
	if n > MaxEntries {
		return nil, E2BIG
	}
	pairs := decodePairs(c, n)
	if !c.done() {
		return nil, EINVAL
	}
	return pairs, nil
}

func decodePairs(c *cursor, n uint32) []Pair {
	pairs := make([]Pair, 0, n)
	for range n {
		keyLen, valueLen := c.u32(), c.u32()
		key, value := c.take(keyLen), c.take(valueLen)
		if c.bad {
			return nil
		}
		pairs = append(pairs, Pair{key, value})
	}
	return pairs
}

func appendString2(b []byte, s, t string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t)))
	b = append(b, s...)
	return append(b, t...)
}
