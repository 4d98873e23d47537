package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size, written as a number of bytes or with a unit: 512, 64KiB,
// 1.5 MiB, 1GiB (1024) or kB, MB, GB (1000).
type Bytes int64

// The binary units.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
)

type unit struct {
	name string
	size Bytes
}

// units are ordered so that no name is a suffix of an earlier one.
func units() []unit {
	return []unit{
		{"kib", KiB}, {"mib", MiB}, {"gib", GiB},
		{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9},
		{"k", KiB}, {"m", MiB}, {"g", GiB}, {"b", 1},
	}
}

// ParseBytes reads a size. It fails on anything negative, not finite or above 1 EiB.
func ParseBytes(s string) (Bytes, error) {
	number, size := strings.ToLower(strings.TrimSpace(s)), Bytes(1)
	for _, u := range units() {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, size = strings.TrimSpace(rest), u.size
			break
		}
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && n >= 0 && n <= math.MaxInt64/int64(size) {
		return Bytes(n) * size, nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || !(f >= 0 && f*float64(size) < 1<<60) {
		return 0, fmt.Errorf("%q is not a size: write a number of bytes, or one with KiB, MiB or GiB", s)
	}
	return Bytes(f * float64(size)), nil
}

// String writes the size with the largest unit that divides it.
func (b Bytes) String() string {
	for _, u := range []unit{{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}} {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// Set and Type make *Bytes a flag value (pflag.Value).
func (b *Bytes) Set(s string) (err error) {
	*b, err = ParseBytes(s)
	return err
}

// Type is the word that --help shows.
func (b *Bytes) Type() string { return "size" }
