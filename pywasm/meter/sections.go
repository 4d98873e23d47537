package meter

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// A sectionID names a section as the binary format numbers it.
type sectionID byte

// The sections that the pass touches or orders.
const (
	secCustom    sectionID = 0
	secType      sectionID = 1
	secImport    sectionID = 2
	secFunction  sectionID = 3
	secTable     sectionID = 4
	secMemory    sectionID = 5
	secGlobal    sectionID = 6
	secExport    sectionID = 7
	secStart     sectionID = 8
	secElement   sectionID = 9
	secCode      sectionID = 10
	secData      sectionID = 11
	secDataCount sectionID = 12
)

// header is the magic number and the version that start a module.
const header = "\x00asm\x01\x00\x00\x00"

// A section is one part of a module: its number and what it holds.
type section struct {
	id   sectionID
	body []byte
}

// rank is the place of a section in the order that the format asks for: the
// data count stands between the elements and the code. It is zero for a
// section that is unknown or has no fixed place.
func (id sectionID) rank() int {
	switch {
	case id == secDataCount:
		return 2*int(secElement) + 1
	case id > secDataCount:
		return 0
	}
	return 2 * int(id)
}

// splitSections cuts a module into its sections. It drops custom sections
// whose offsets into the code would be wrong after the pass.
func splitSections(module []byte) ([]section, error) {
	if !bytes.HasPrefix(module, []byte(header)) {
		return nil, errors.New("this is no WebAssembly module of version 1")
	}
	r := &reader{buf: module, pos: len(header)}
	var all []section
	last := 0
	for r.more() {
		s := section{id: sectionID(r.byte())}
		s.body = r.bytes(r.u32())
		if s.id == secCustom {
			if r.err == nil && keepCustom(s.body) {
				all = append(all, s)
			}
			continue
		}
		if s.id.rank() <= last {
			r.fail(fmt.Errorf("section %d is unknown, repeated or out of order", s.id))
		}
		last = s.id.rank()
		all = append(all, s)
	}
	return all, r.err
}

// keepCustom tells which custom sections stay true after the pass.
func keepCustom(body []byte) bool {
	r := &reader{buf: body}
	return slices.Contains([]string{"name", "producers", "target_features"}, r.name()) && r.err == nil
}

// find returns the body of a section, or nil when the module has none.
func find(all []section, id sectionID) []byte {
	for _, s := range all {
		if s.id == id {
			return s.body
		}
	}
	return nil
}

// put replaces a section, or adds it at its place.
func put(all []section, id sectionID, body []byte) []section {
	at := len(all)
	for i, s := range all {
		if s.id == id {
			all[i].body = body
			return all
		}
		if at == len(all) && s.id != secCustom && s.id.rank() > id.rank() {
			at = i
		}
	}
	return slices.Insert(all, at, section{id, body})
}

// join puts a module together again.
func join(all []section) []byte {
	out := []byte(header)
	for _, s := range all {
		out = append(out, byte(s.id))
		out = appendSized(out, s.body)
	}
	return out
}
