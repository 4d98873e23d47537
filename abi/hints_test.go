package abi_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

func hints(status int, reason string, headers ...abi.Pair) abi.ResponseHead {
	return abi.ResponseHead{Status: status, Reason: reason, Headers: headers}
}

func TestHintsGolden(t *testing.T) {
	b, err := hints(abi.StatusHints, "", abi.Pair{Key: "Link", Value: "</a>"}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = "6700" + "0100" + "00000000" + "0400000004000000" + "4c696e6b" + "3c2f613e"
	if hex.EncodeToString(b) != want {
		t.Errorf("got  %x\nwant %s", b, want)
	}
	got, err := abi.DecodeHints(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]abi.Pair{{Key: "Link", Value: "</a>"}}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := abi.DecodeResponseHead(b); !errors.Is(err, abi.EINVAL) {
		t.Errorf("hints as a response: %v", err)
	}
}

func TestDecodeHintsChecks(t *testing.T) {
	for _, tt := range []struct {
		name string
		head abi.ResponseHead
		want error
	}{
		{"no header", hints(103, ""), nil},
		{"another status", hints(102, ""), abi.EINVAL},
		{"a response", hints(200, ""), abi.EINVAL},
		{"line break in the reason", hints(103, "a\nb"), abi.EINVAL},
		{"line break in a value", hints(103, "", abi.Pair{Key: "A", Value: "b\r\nC: d"}), abi.EINVAL},
		{"space in a name", hints(103, "", abi.Pair{Key: "A B", Value: "c"}), abi.EINVAL},
	} {
		b, err := tt.head.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := abi.DecodeHints(b); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := abi.DecodeHints(make([]byte, abi.MaxResponseHead+1)); !errors.Is(err, abi.E2BIG) {
		t.Errorf("above MaxResponseHead: %v", err)
	}
	if _, err := abi.DecodeHints([]byte{103, 0, 1, 0, 0, 0, 0, 0}); !errors.Is(err, abi.EINVAL) {
		t.Errorf("a header that is missing: %v", err)
	}
}

func FuzzDecodeHints(f *testing.F) {
	seed, _ := hints(103, "", abi.Pair{Key: "Link", Value: "</a>"}).Encode()
	f.Add(seed)
	f.Add([]byte{103, 0, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		headers, err := abi.DecodeHints(b)
		if err != nil {
			return
		}
		for _, h := range headers {
			if !abi.ValidName(h.Key) || bytes.ContainsAny([]byte(h.Value), "\r\n\x00") {
				t.Fatalf("header %q: %q", h.Key, h.Value)
			}
		}
	})
}
