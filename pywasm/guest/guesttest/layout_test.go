package guesttest

import (
	"strconv"
	"strings"
)

// What CPython 3.13 keeps where on a machine of 32 bits: Include/cpython/object.h,
// moduleobject.h, methodobject.h, descrobject.h.

// pointer is the size of one.
const pointer = 4

// field is a place for a function, and by what type CPython calls what is there:
// all parameters and results are i32.
type field struct {
	name      string
	offset    uint32
	signature string
}

// Places that hold addresses of more.
const (
	typeName, typeBasicSize  = 12, 16
	typeMethods, typeGetSets = 116, 124
	moduleDef                = 12
	defMethods, defSlots     = 32, 36
)

// typeFields are the functions of a PyTypeObject, as offset, name and type.
func typeFields() []field {
	return fieldsAt(`24 tp_dealloc 1-0, 32 tp_getattr 2-1, 36 tp_setattr 3-1, 44 tp_repr 1-1, 60 tp_hash 1-1, 64 tp_call 3-1,
		68 tp_str 1-1, 72 tp_getattro 2-1, 76 tp_setattro 3-1, 92 tp_traverse 3-1, 96 tp_clear 1-1, 100 tp_richcompare 3-1,
		108 tp_iter 1-1, 112 tp_iternext 1-1, 136 tp_descr_get 3-1, 140 tp_descr_set 3-1, 148 tp_init 3-1, 152 tp_alloc 2-1,
		156 tp_new 3-1, 160 tp_free 1-0, 164 tp_is_gc 1-1, 188 tp_del 1-0, 196 tp_finalize 1-0, 200 tp_vectorcall 4-1`)
}

// suites are the further tables of a type, by where it has their address.
func suites() map[uint32][]field {
	return map[uint32][]field{
		40: fieldsInRow(`am_await 1-1, am_aiter 1-1, am_anext 1-1, am_send 3-1`),
		48: fieldsInRow(`nb_add 2-1, nb_subtract 2-1, nb_multiply 2-1, nb_remainder 2-1, nb_divmod 2-1, nb_power 3-1, nb_negative 1-1,
			nb_positive 1-1, nb_absolute 1-1, nb_bool 1-1, nb_invert 1-1, nb_lshift 2-1, nb_rshift 2-1, nb_and 2-1, nb_xor 2-1, nb_or 2-1,
			nb_int 1-1, -, nb_float 1-1, nb_inplace_add 2-1, nb_inplace_subtract 2-1, nb_inplace_multiply 2-1, nb_inplace_remainder 2-1,
			nb_inplace_power 3-1, nb_inplace_lshift 2-1, nb_inplace_rshift 2-1, nb_inplace_and 2-1, nb_inplace_xor 2-1, nb_inplace_or 2-1,
			nb_floor_divide 2-1, nb_true_divide 2-1, nb_inplace_floor_divide 2-1, nb_inplace_true_divide 2-1, nb_index 1-1,
			nb_matrix_multiply 2-1, nb_inplace_matrix_multiply 2-1`),
		52: fieldsInRow(`sq_length 1-1, sq_concat 2-1, sq_repeat 2-1, sq_item 2-1, -, sq_ass_item 3-1, -, sq_contains 2-1,
			sq_inplace_concat 2-1, sq_inplace_repeat 2-1`),
		56: fieldsInRow(`mp_length 1-1, mp_subscript 2-1, mp_ass_subscript 3-1`),
		80: fieldsInRow(`bf_getbuffer 3-1, bf_releasebuffer 2-0`),
	}
}

// moduleFields are the functions of a PyModuleDef.
func moduleFields() []field {
	return fieldsAt(`40 m_traverse 3-1, 44 m_clear 1-1, 48 m_free 1-0`)
}

// moduleSlots are the functions of a PyModuleDef_Slot, by its number.
func moduleSlots() map[uint32]field {
	return map[uint32]field{1: {"Py_mod_create", pointer, "2-1"}, 2: {"Py_mod_exec", pointer, "1-1"}}
}

// accessors are the functions of a PyGetSetDef.
func accessors() []field { return fieldsAt(`4 get 2-1, 8 set 3-1`) }

// methodSignature is the type of a method with these flags, "" for unknown ones.
func methodSignature(flags uint32) string {
	const class, static, coexist = 0x10, 0x20, 0x40
	const varargs, keywords, noargs, one, fast, method = 0x1, 0x2, 0x4, 0x8, 0x80, 0x200
	return map[uint32]string{
		varargs: "2-1", varargs | keywords: "3-1", noargs: "2-1", one: "2-1",
		fast: "3-1", fast | keywords: "4-1", method | fast | keywords: "5-1",
	}[flags&^(class|static|coexist)]
}

func fieldsAt(text string) (all []field) {
	for part := range strings.SplitSeq(text, ",") {
		words := strings.Fields(part)
		offset, _ := strconv.Atoi(words[0])
		all = append(all, field{words[1], uint32(offset), words[2]})
	}
	return all
}

// fieldsInRow stand one behind the other; - holds no function.
func fieldsInRow(text string) (all []field) {
	for i, part := range strings.Split(text, ",") {
		if words := strings.Fields(part); words[0] != "-" {
			all = append(all, field{words[0], uint32(i) * pointer, words[1]})
		}
	}
	return all
}
