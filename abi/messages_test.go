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

func TestBootGolden(t *testing.T) {
	b, err := abi.Boot{Mode: abi.BootModeWSGI, Args: []string{"a", "b"}, Paths: []string{"/p"}, Cwd: "/"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = "05000000" +
		"0400000004000000" + "6d6f6465" + "77736769" +
		"0300000001000000" + "637764" + "2f" +
		"0300000001000000" + "617267" + "61" +
		"0300000001000000" + "617267" + "62" +
		"0400000002000000" + "70617468" + "2f70"
	if hex.EncodeToString(b) != want {
		t.Errorf("got  %x\nwant %s", b, want)
	}
}

func TestLoadGolden(t *testing.T) {
	b, err := abi.Load{Entry: "m:a", Environ: []abi.Pair{{Key: "K", Value: "v=w"}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = "02000000" +
		"0500000003000000" + "656e747279" + "6d3a61" +
		"0700000005000000" + "656e7669726f6e" + "4b3d763d77"
	if hex.EncodeToString(b) != want {
		t.Errorf("got  %x\nwant %s", b, want)
	}
}

func TestPairsLimits(t *testing.T) {
	tests := []struct {
		name  string
		pairs []abi.Pair
		want  error
	}{
		{"MaxMessage", []abi.Pair{{Key: "k", Value: strings.Repeat("x", abi.MaxMessage-4-8-1)}}, nil},
		{"a byte more", []abi.Pair{{Key: "k", Value: strings.Repeat("x", abi.MaxMessage-4-8)}}, abi.E2BIG},
		{"MaxEntries", make([]abi.Pair, abi.MaxEntries), nil},
		{"a pair more", make([]abi.Pair, abi.MaxEntries+1), abi.E2BIG},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := abi.EncodePairs(tt.pairs)
			if !errors.Is(err, tt.want) {
				t.Fatalf("EncodePairs = %v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			if _, err := abi.DecodePairs(b); err != nil {
				t.Errorf("DecodePairs of what EncodePairs returned: %v", err)
			}
		})
	}
}

func TestDecodePairsRefuses(t *testing.T) {
	tests := []struct {
		name string
		hex  string
		want error
	}{
		{"nothing", "", abi.EINVAL},
		{"a count alone", "01000000", abi.EINVAL},
		{"too many", "01040000", abi.E2BIG},
		{"a wild length", "01000000" + "ffffffff00000000", abi.EINVAL},
		{"two wild lengths", "01000000" + "ffffffffffffffff", abi.EINVAL},
		{"a byte behind the end", "0000000000", abi.EINVAL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := abi.DecodePairs(b); !errors.Is(err, tt.want) || got != nil {
				t.Errorf("DecodePairs = %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	if _, err := abi.DecodePairs(make([]byte, abi.MaxMessage+1)); !errors.Is(err, abi.E2BIG) {
		t.Errorf("above MaxMessage: %v", err)
	}
}

func TestPairsRoundTrip(t *testing.T) {
	pair := rapid.Custom(func(t *rapid.T) abi.Pair {
		return abi.Pair{Key: rapid.String().Draw(t, "key"), Value: rapid.String().Draw(t, "value")}
	})
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(pair, 0, 50).Draw(t, "pairs")
		b, err := abi.EncodePairs(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := abi.DecodePairs(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestMessagesRefuseWhatIsTooLong(t *testing.T) {
	long := strings.Repeat("x", abi.MaxMessage)
	if _, err := (abi.Boot{Cwd: long}).Encode(); !errors.Is(err, abi.E2BIG) {
		t.Errorf("Boot.Encode: %v", err)
	}
	if _, err := (abi.Load{Entry: long}).Encode(); !errors.Is(err, abi.E2BIG) {
		t.Errorf("Load.Encode: %v", err)
	}
}
