package abi_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wasgi/wasgi/abi"
)

func TestResponseHeadGolden(t *testing.T) {
	h := abi.ResponseHead{Status: 404, Reason: "No", Headers: []abi.Pair{{Key: "A", Value: "bc"}, {Key: "A", Value: ""}}}
	b, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = "9401" + "0200" + "02000000" + "4e6f" + "0100000002000000" + "416263" + "0100000000000000" + "41"
	if hex.EncodeToString(b) != want {
		t.Errorf("got  %x\nwant %s", b, want)
	}
	got, err := abi.DecodeResponseHead(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeResponseHeadChecks(t *testing.T) {
	header := func(name, value string) abi.ResponseHead {
		return abi.ResponseHead{Status: 200, Headers: []abi.Pair{{Key: name, Value: value}}}
	}
	tests := []struct {
		name string
		head abi.ResponseHead
		want error
	}{
		{"status 199", abi.ResponseHead{Status: 199}, abi.EINVAL},
		{"status 200", abi.ResponseHead{Status: 200}, nil},
		{"status 999", abi.ResponseHead{Status: 999}, nil},
		{"status 1000", abi.ResponseHead{Status: 1000}, abi.EINVAL},
		{"line break in the reason", abi.ResponseHead{Status: 200, Reason: "O\r\nK"}, abi.EINVAL},
		{"empty value", header("X", ""), nil},
		{"tab in a value", header("X", "a\tb"), nil},
		{"latin-1 value", header("X", "\xe9"), nil},
		{"CR in a value", header("X", "a\rb"), abi.EINVAL},
		{"LF in a value", header("X", "a\nb"), abi.EINVAL},
		{"NUL in a value", header("X", "a\x00b"), abi.EINVAL},
		{"DEL in a value", header("X", "a\x7fb"), abi.EINVAL},
		{"empty name", header("", "a"), abi.EINVAL},
		{"space in a name", header("X Y", "a"), abi.EINVAL},
		{"colon in a name", header("X:", "a"), abi.EINVAL},
		{"latin-1 name", header("\xe9", "a"), abi.EINVAL},
		{"every token byte", header("!#$%&'*+-.^_`|~09azAZ", "a"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.head.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := abi.DecodeResponseHead(b); !errors.Is(err, tt.want) {
				t.Errorf("DecodeResponseHead = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestDecodeResponseHeadLimits(t *testing.T) {
	if _, err := abi.DecodeResponseHead(make([]byte, abi.MaxResponseHead+1)); !errors.Is(err, abi.E2BIG) {
		t.Errorf("above MaxResponseHead: %v", err)
	}
	many := abi.ResponseHead{Status: 200}
	for range abi.MaxHeaders {
		many.Headers = append(many.Headers, abi.Pair{Key: "A", Value: "b"})
	}
	b, err := many.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := abi.DecodeResponseHead(b); err != nil {
		t.Errorf("MaxHeaders: %v", err)
	}
	b[2]++
	if _, err := abi.DecodeResponseHead(b); !errors.Is(err, abi.E2BIG) {
		t.Errorf("above MaxHeaders: %v", err)
	}
	many.Headers = append(many.Headers, abi.Pair{Key: "A"})
	if _, err := many.Encode(); !errors.Is(err, abi.E2BIG) {
		t.Errorf("Encode above MaxHeaders: %v", err)
	}
	long := abi.ResponseHead{Status: 200, Reason: strings.Repeat("x", abi.MaxResponseHead)}
	if _, err := long.Encode(); !errors.Is(err, abi.E2BIG) {
		t.Errorf("Encode above MaxResponseHead: %v", err)
	}
}

func TestDecodeResponseHeadCutShort(t *testing.T) {
	b, err := abi.ResponseHead{Status: 200, Reason: "OK", Headers: []abi.Pair{{Key: "A", Value: "b"}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(b) {
		if _, err := abi.DecodeResponseHead(b[:n]); !errors.Is(err, abi.EINVAL) {
			t.Errorf("%d of %d bytes: %v", n, len(b), err)
		}
	}
	if _, err := abi.DecodeResponseHead(append(b, 0)); !errors.Is(err, abi.EINVAL) {
		t.Errorf("a byte too many: %v", err)
	}
}

func TestResponseHeadRoundTrip(t *testing.T) {
	value := rapid.StringMatching("[ -~\t]{0,40}")
	header := rapid.Custom(func(t *rapid.T) abi.Pair {
		return abi.Pair{Key: rapid.StringMatching("[!#-'*+.^_`|~0-9A-Za-z-]{1,20}").Draw(t, "name"), Value: value.Draw(t, "value")}
	})
	rapid.Check(t, func(t *rapid.T) {
		want := abi.ResponseHead{
			Status:  rapid.IntRange(200, 999).Draw(t, "status"),
			Reason:  value.Draw(t, "reason"),
			Headers: rapid.SliceOfN(header, 0, 30).Draw(t, "headers"),
		}
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := abi.DecodeResponseHead(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
