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

// TestEnvironGolden is the worked example of the package comment.
func TestEnvironGolden(t *testing.T) {
	var e abi.Environ
	numbers := abi.KeyNumbers()
	e.Add(numbers, "REQUEST_METHOD", "GET")
	e.Add(numbers, "X", "ab")
	got, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	const want = "02000000" + "0100000003000000" + "474554" + "0000010002000000" + "586162"
	if hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}

func TestEnvironEmpty(t *testing.T) {
	var e abi.Environ
	got, err := e.Bytes()
	if err != nil || hex.EncodeToString(got) != "00000000" {
		t.Errorf("Bytes() = %x, %v", got, err)
	}
}

// TestKeyNumbersOfConstants: each is the number of the key that it is named after.
func TestKeyNumbersOfConstants(t *testing.T) {
	numbers := abi.KeyNumbers()
	for key, got := range map[string]uint16{
		"REQUEST_METHOD": abi.KeyRequestMethod, "SCRIPT_NAME": abi.KeyScriptName, "PATH_INFO": abi.KeyPathInfo,
		"QUERY_STRING": abi.KeyQueryString, "CONTENT_TYPE": abi.KeyContentType, "CONTENT_LENGTH": abi.KeyContentLength,
		"SERVER_NAME": abi.KeyServerName, "SERVER_PORT": abi.KeyServerPort, "SERVER_PROTOCOL": abi.KeyServerProtocol,
		"REMOTE_ADDR": abi.KeyRemoteAddr, "REMOTE_PORT": abi.KeyRemotePort, "REQUEST_URI": abi.KeyRequestURI,
		"RAW_URI": abi.KeyRawURI, "wsgi.url_scheme": abi.KeyURLScheme, "HTTPS": abi.KeyHTTPS,
		"HTTP_HOST": abi.KeyHTTPHost, "wasgi.request_id": abi.KeyRequestID,
	} {
		if want := numbers[key]; got != want || got == 0 {
			t.Errorf("%s: %d, want %d", key, got, want)
		}
	}
}

func TestEnvironAddKnownIsAdd(t *testing.T) {
	var known, literal abi.Environ
	known.AddKnown(3, "/a")
	literal.Add(abi.KeyNumbers(), "PATH_INFO", "/a")
	a, _ := known.Bytes()
	b, _ := literal.Bytes()
	if string(a) != string(b) {
		t.Errorf("%x != %x", a, b)
	}
}

func TestEnvironReset(t *testing.T) {
	var e abi.Environ
	e.Add(nil, "A", strings.Repeat("x", abi.MaxMessage))
	if _, err := e.Bytes(); !errors.Is(err, abi.E2BIG) {
		t.Fatalf("Bytes() above the limit: %v", err)
	}
	e.Reset()
	e.Add(nil, "A", "b")
	b, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	got, err := abi.DecodeEnviron(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]abi.Pair{{Key: "A", Value: "b"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEnvironLimits(t *testing.T) {
	tests := []struct {
		name string
		fill func(*abi.Environ)
		want error
	}{
		{"a message of MaxMessage", func(e *abi.Environ) {
			e.Add(nil, "A", strings.Repeat("x", abi.MaxMessage-4-8-1))
		}, nil},
		{"a byte more", func(e *abi.Environ) {
			e.Add(nil, "A", strings.Repeat("x", abi.MaxMessage-4-8))
		}, abi.E2BIG},
		{"MaxEntries", func(e *abi.Environ) { addMany(e, abi.MaxEntries) }, nil},
		{"an entry more", func(e *abi.Environ) { addMany(e, abi.MaxEntries+1) }, abi.E2BIG},
		{"a key of 65535", func(e *abi.Environ) { e.Add(nil, strings.Repeat("k", 0xffff), "") }, nil},
		{"a key of 65536", func(e *abi.Environ) { e.Add(nil, strings.Repeat("k", 0x10000), "") }, abi.E2BIG},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var e abi.Environ
			tt.fill(&e)
			b, err := e.Bytes()
			if !errors.Is(err, tt.want) {
				t.Fatalf("Bytes() = %v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			if _, err := abi.DecodeEnviron(b); err != nil {
				t.Errorf("DecodeEnviron of what Bytes returned: %v", err)
			}
		})
	}
}

func addMany(e *abi.Environ, n int) {
	for range n {
		e.AddKnown(1, "")
	}
}

func TestDecodeEnvironRefuses(t *testing.T) {
	tests := []struct {
		name string
		hex  string
		want error
	}{
		{"nothing", "", abi.EINVAL},
		{"a count alone", "01000000", abi.EINVAL},
		{"a byte behind the end", "0000000000", abi.EINVAL},
		{"too many entries", "01040000", abi.E2BIG},
		{"an unknown number", "01000000" + "ffff000000000000", abi.EINVAL},
		{"a number and a literal", "01000000" + "0100010000000000" + "41", abi.EINVAL},
		{"a value beyond the end", "01000000" + "01000000ffffffff", abi.EINVAL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := abi.DecodeEnviron(b); !errors.Is(err, tt.want) || got != nil {
				t.Errorf("DecodeEnviron = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	if _, err := abi.DecodeEnviron(make([]byte, abi.MaxMessage+1)); !errors.Is(err, abi.E2BIG) {
		t.Errorf("a message above MaxMessage: %v", err)
	}
}

func TestEnvironRoundTrip(t *testing.T) {
	numbers := abi.KeyNumbers()
	keys := rapid.OneOf(rapid.SampledFrom(abi.WellKnownKeys()[1:]), rapid.StringN(1, 40, 200))
	pair := rapid.Custom(func(t *rapid.T) abi.Pair {
		return abi.Pair{Key: keys.Draw(t, "key"), Value: rapid.String().Draw(t, "value")}
	})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(pair, 0, 50).Draw(t, "pairs")
		var e abi.Environ
		for _, p := range want {
			e.Add(numbers, p.Key, p.Value)
		}
		b, err := e.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		got, err := abi.DecodeEnviron(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" && len(want) > 0 {
			t.Fatal(diff)
		}
	})
}

func TestKeyNumbers(t *testing.T) {
	keys, numbers := abi.WellKnownKeys(), abi.KeyNumbers()
	if keys[0] != "" || len(numbers) != len(keys)-1 {
		t.Fatalf("%d keys, %d numbers", len(keys), len(numbers))
	}
	for i, k := range keys[1:] {
		if int(numbers[k]) != i+1 {
			t.Errorf("number of %s is %d, want %d", k, numbers[k], i+1)
		}
	}
}

func TestEnvironDoesNotAllocateWhenReused(t *testing.T) {
	var e abi.Environ
	numbers := abi.KeyNumbers()
	fill := func() {
		e.Reset()
		e.Add(numbers, "REQUEST_METHOD", "GET")
		e.Add(numbers, "HTTP_X_UNKNOWN", "value")
		if _, err := e.Bytes(); err != nil {
			t.Fatal(err)
		}
	}
	fill()
	if n := testing.AllocsPerRun(100, fill); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}
