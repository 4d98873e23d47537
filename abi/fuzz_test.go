package abi_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

// Each fuzz target decodes, and when that succeeds encodes and decodes again:
// the second result must be the first. Where the encoding is unique the bytes
// must be the same as well.

func FuzzDecodeEnviron(f *testing.F) {
	var e abi.Environ
	e.Add(abi.KeyNumbers(), "REQUEST_METHOD", "GET")
	e.Add(nil, "X", "ab")
	seed, _ := e.Bytes()
	f.Add(bytes.Clone(seed))
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	numbers := abi.KeyNumbers()
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := abi.DecodeEnviron(b)
		if err != nil {
			return
		}
		var e abi.Environ
		for _, p := range first {
			e.Add(numbers, p.Key, p.Value)
		}
		again, err := e.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		second, err := abi.DecodeEnviron(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzDecodePairs(f *testing.F) {
	seed, _ := abi.Boot{Mode: abi.BootModeWSGI, Args: []string{"a"}, Paths: []string{"/app"}, Cwd: "/"}.Encode()
	f.Add(seed)
	f.Add([]byte{1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		pairs, err := abi.DecodePairs(b)
		if err != nil {
			return
		}
		again, err := abi.EncodePairs(pairs)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, again) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}

func FuzzDecodeResponseHead(f *testing.F) {
	seed, _ := abi.ResponseHead{Status: 200, Reason: "OK", Headers: []abi.Pair{{Key: "Content-Type", Value: "text/html"}}}.Encode()
	f.Add(seed)
	f.Add([]byte{200, 0, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		head, err := abi.DecodeResponseHead(b)
		if err != nil {
			return
		}
		if head.Status < 200 || head.Status > 999 {
			t.Fatalf("status %d", head.Status)
		}
		for _, h := range head.Headers {
			if !abi.ValidName(h.Key) || bytes.ContainsAny([]byte(h.Value), "\r\n\x00") {
				t.Fatalf("header %q: %q", h.Key, h.Value)
			}
		}
		again, err := head.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, again) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}
