package branchhint

import (
	"bytes"
	"strings"
	"testing"
)

// module has a type, a function and, with code, its body.
func module(sections ...string) []byte { return []byte(header + strings.Join(sections, "")) }

const (
	types = "\x01\x04\x01\x60\x00\x00"
	funcs = "\x03\x02\x01\x00"
	code  = "\x0a\x04\x01\x02\x00\x0b"
)

func TestInsert(t *testing.T) {
	got, err := Insert(module(types, funcs, code), []Function{
		{Index: 0, Hints: []Hint{{Offset: 3}, {Offset: 200, Likely: true}}},
		{Index: 300, Hints: []Hint{{Offset: 1, Likely: true}}},
	})
	want := module(types, funcs,
		"\x00\x2a\x19metadata.code.branch_hint\x02"+
			"\x00\x02\x03\x01\x00\xc8\x01\x01\x01"+
			"\xac\x02\x01\x01\x01\x01", code)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\n got %q\nwant %q", err, got, want)
	}
	for _, b := range [][]byte{got, module(types, funcs, code)} {
		if back, err := Remove(b); err != nil || !bytes.Equal(back, module(types, funcs, code)) {
			t.Errorf("without them: %q, %v", back, err)
		}
	}
	if _, err := Insert(got, nil); err == nil || err.Error() != "the module has branch hints already" {
		t.Errorf("a second time: %v", err)
	}
}

func TestInsertRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		module []byte
		want   string
	}{
		{"empty", nil, "not a WebAssembly module of version 1"},
		{"another version", []byte("\x00asm\x02\x00\x00\x00"), "not a WebAssembly module of version 1"},
		{"no code", module(types), "the module has no code"},
		{"no size", module(types, "\x0a"), "the section at byte 14 is cut short"},
		{"cut", module(types, code[:4]), "the section at byte 14 is cut short"},
		{"a size of ten bytes", module("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "the section at byte 8 is cut short"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Insert(tc.module, nil); err == nil || err.Error() != tc.want {
				t.Errorf("%v, want %s", err, tc.want)
			}
			if _, err := Remove(tc.module); err == nil || err.Error() != tc.want {
				t.Errorf("Remove: %v, want %s", err, tc.want)
			}
		})
	}
}

// FuzzInsert: no input makes it panic, and without what it got a module is what it was.
func FuzzInsert(f *testing.F) {
	f.Add(module(types, funcs, code))
	f.Add(module(types, "\x00\x03\x02ab", code))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := Insert(b, []Function{{Index: 1, Hints: []Hint{{Offset: 2}}}})
		if err != nil {
			return
		}
		if back, err := Remove(out); err != nil || !bytes.Equal(back, b) {
			t.Errorf("%q without the hints that it got is %q, %v", b, back, err)
		}
	})
}
