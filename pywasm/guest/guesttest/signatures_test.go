package guesttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

// TestSignatures: CPython casts functions freely, and WebAssembly traps where one
// is not of the type by which it is called. Every function that a type or a module
// of the standard library has in one of its places is therefore of the place's
// type. (operator.methodcaller's tp_clear was not: collecting one ended the guest.)
func TestSignatures(t *testing.T) {
	t.Setenv("WASGI_GUEST_APPS", "testdata/entries")
	code, _, err := artifact()
	in := start(t, abi.BootModeWSGI) // skips without the artifact
	if err != nil {
		t.Fatal(err)
	}
	in.load("layout:application")
	c := &signatures{instance: in, functions: readTable(code), checked: map[string]bool{}}
	for _, o := range in.objects() {
		switch o.kind {
		case "type":
			c.ofType(o)
		case "module":
			c.ofModule(o)
		}
	}
	for _, known := range []string{"builtins.list tp_clear", "operator.methodcaller tp_clear", "builtins.dict mp_subscript", "builtins.int nb_add",
		"builtins.str join()", "builtins.type __name__ set", "builtins len()", "_operator Py_mod_exec", "_pickle m_traverse"} {
		if !c.checked[known] {
			t.Errorf("%s has not been looked at", known)
		}
	}
	t.Logf("%d places", len(c.checked))
}

// object is a line of testdata/entries/layout.py.
type object struct {
	kind, name string
	address    uint32
	size       uint32 // of an instance
}

func (in *instance) objects() (all []object) {
	in.t.Helper()
	var body strings.Builder
	for _, c := range in.get("/").calls {
		body.WriteString(c.data)
	}
	for line := range strings.Lines(body.String()) {
		var o object
		if err := json.Unmarshal([]byte(line), &[]any{&o.kind, &o.name, &o.address, &o.size}); err != nil {
			in.t.Fatalf("%q: %v", line, err)
		}
		all = append(all, o)
	}
	return all
}

// signatures reads an interpreter's memory.
type signatures struct {
	*instance
	functions table
	checked   map[string]bool // "owner place"
}

// ofType looks at a PyTypeObject.
func (c *signatures) ofType(o object) {
	if size := c.word(o.address + typeBasicSize); size != o.size || !strings.HasSuffix(o.name, lastName(c.text(c.word(o.address+typeName)))) {
		c.t.Fatalf("%s: CPython's layout has changed", o.name)
	}
	c.fields(o.name, o.address, typeFields())
	for at, fields := range suites() {
		if suite := c.word(o.address + at); suite != 0 {
			c.fields(o.name, suite, fields)
		}
	}
	c.methods(o.name, c.word(o.address+typeMethods))
	c.each(c.word(o.address+typeGetSets), 5, func(at uint32) {
		c.fields(o.name+" "+c.text(c.word(at)), at, accessors())
	})
}

// ofModule looks at the PyModuleDef of a module that is written in C.
func (c *signatures) ofModule(o object) {
	def := c.word(o.address + moduleDef)
	if def == 0 {
		return
	}
	c.fields(o.name, def, moduleFields())
	c.methods(o.name, c.word(def+defMethods))
	c.each(c.word(def+defSlots), 2, func(at uint32) {
		if f, ok := moduleSlots()[c.word(at)]; ok {
			c.field(o.name, at, f)
		}
	})
}

// methods looks at an array of PyMethodDef.
func (c *signatures) methods(owner string, array uint32) {
	c.each(array, 4, func(at uint32) {
		name, flags := c.text(c.word(at))+"()", c.word(at+2*pointer)
		signature := methodSignature(flags)
		if signature == "" {
			c.t.Errorf("%s %s: flags %#x", owner, name, flags)
			return
		}
		c.field(owner, at, field{name, pointer, signature})
	})
}

// each walks an array of so many words each, to the one that begins with 0.
func (c *signatures) each(array, words uint32, f func(at uint32)) {
	for at := array; array != 0 && c.word(at) != 0; at += words * pointer {
		f(at)
	}
}

func (c *signatures) fields(owner string, base uint32, all []field) {
	for _, f := range all {
		c.field(owner, base, f)
	}
}

// field compares one function with what its place wants.
func (c *signatures) field(owner string, base uint32, f field) {
	function := c.word(base + f.offset)
	if function == 0 {
		return
	}
	place := fmt.Sprint(owner, " ", f.name)
	c.checked[place] = true
	if got := c.functions[function]; got != f.signature {
		c.t.Errorf("%s: the function's type is %q, and it is called as %q", place, got, f.signature)
	}
}

func (c *signatures) word(at uint32) uint32 {
	v, ok := c.module.Memory().ReadUint32Le(at)
	if !ok {
		c.t.Fatalf("no memory at %#x", at)
	}
	return v
}

func (c *signatures) text(at uint32) string {
	b, _ := c.module.Memory().Read(at, min(200, c.module.Memory().Size()-at))
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}

func lastName(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }
