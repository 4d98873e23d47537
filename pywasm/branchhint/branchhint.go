// Package branchhint writes the custom section of the branch hinting proposal,
// which tells a compiler what of a WebAssembly module hardly ever runs, and holds
// the counts that hints are made of.
//
// The format is https://webassembly.github.io/branch-hinting/metadata/code/binary.html.
// The package imports the standard library only.
package branchhint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	sectionName   = "metadata.code.branch_hint"
	customSection = 0
	codeSection   = 10
	header        = "\x00asm\x01\x00\x00\x00"
)

// A Hint says of a br_if or if whether it is likely to be taken.
type Hint struct {
	Offset uint32 // of the instruction, in bytes from the beginning of its function's locals
	Likely bool
}

// Function is a function with hints.
type Function struct {
	Index uint32 // imported functions count
	Hints []Hint // by ascending offset
}

// Insert returns a copy of a module that has the hints, in front of its code.
// Functions come by ascending index. An error says why the module cannot have
// them: it is malformed, has no code, or has hints.
func Insert(module []byte, all []Function) ([]byte, error) {
	p, err := find(module)
	if err != nil {
		return nil, err
	}
	if p.hints > 0 {
		return nil, errors.New("the module has branch hints already")
	}
	content := encode(all)
	out := append(make([]byte, 0, len(module)+len(content)+binary.MaxVarintLen32+1), module[:p.code]...)
	out = append(out, customSection)
	out = binary.AppendUvarint(out, uint64(len(content)))
	out = append(out, content...)
	return append(out, module[p.code:]...), nil
}

// Remove returns a copy of a module without the hints that Insert gave it, if it
// has some. The errors are those of a malformed module and of one without code.
func Remove(module []byte) ([]byte, error) {
	p, err := find(module)
	if err != nil {
		return nil, err
	}
	return append(bytes.Clone(module[:p.hints]), module[p.hintsEnd:]...), nil
}

// places are where sections of a module begin, and where the hints end; hints and
// hintsEnd are 0 in a module without.
type places struct{ code, hints, hintsEnd int }

// find looks for the code, and for hints in front of it.
func find(module []byte) (p places, err error) {
	if len(module) < len(header) || string(module[:len(header)]) != header {
		return p, errors.New("not a WebAssembly module of version 1")
	}
	for at := len(header); at < len(module); {
		size, n := binary.Uvarint(module[at+1:])
		if n <= 0 || size > uint64(len(module)-at-1-n) {
			return p, fmt.Errorf("the section at byte %d is cut short", at)
		}
		body := module[at+1+n:][:size]
		end := at + 1 + n + len(body)
		switch {
		case module[at] == customSection && isHints(body):
			p.hints, p.hintsEnd = at, end
		case module[at] == codeSection:
			p.code = at
			return p, nil
		}
		at = end
	}
	return p, errors.New("the module has no code")
}

// isHints tells whether a custom section has the name of that with hints.
func isHints(body []byte) bool {
	size, n := binary.Uvarint(body)
	return n > 0 && size == uint64(len(sectionName)) && len(body) >= n+len(sectionName) && string(body[n:][:size]) == sectionName
}

// encode returns the section's content.
func encode(all []Function) []byte {
	b := binary.AppendUvarint(nil, uint64(len(sectionName)))
	b = append(b, sectionName...)
	b = binary.AppendUvarint(b, uint64(len(all)))
	for _, f := range all {
		b = binary.AppendUvarint(b, uint64(f.Index))
		b = binary.AppendUvarint(b, uint64(len(f.Hints)))
		for _, h := range f.Hints {
			b = binary.AppendUvarint(b, uint64(h.Offset))
			b = append(b, 1, value(h.Likely)) // one byte follows
		}
	}
	return b
}

func value(likely bool) byte {
	if likely {
		return 1
	}
	return 0
}
