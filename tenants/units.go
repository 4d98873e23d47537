package tenants

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span written as text: "30s", "1m30s", "250ms". A bare
// number is refused, because nobody remembers its unit.
type Duration struct{ time.Duration }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no time span; write it like \"30s\", \"1m30s\" or \"250ms\"", text)
	}
	d.Duration = v
	return nil
}

// MarshalText writes the shortest form that UnmarshalText reads back.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.short()), nil }

func (d Duration) short() string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Size is a number of bytes written as text: "64MB" (64,000,000), "64MiB"
// (67,108,864), "512" or 512 (bytes).
type Size int64

// Units of Size.
const (
	KiB Size = 1 << (10 * (iota + 1))
	MiB
	GiB
	TiB
)

// sizeUnits is ordered so that no suffix hides a longer one.
var sizeUnits = [...]struct {
	suffix string
	bytes  Size
}{
	{"kib", KiB}, {"mib", MiB}, {"gib", GiB}, {"tib", TiB},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"k", KiB}, {"m", MiB}, {"g", GiB}, {"t", TiB},
	{"b", 1}, {"", 1},
}

// UnmarshalText reads a whole number and an optional unit: B, kB, KiB, MB, MiB,
// GB, GiB, TB, TiB, or K, M, G, T for the binary ones. Case does not matter.
func (s *Size) UnmarshalText(text []byte) error {
	lower := strings.ToLower(strings.TrimSpace(string(text)))
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(lower, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
		if err != nil {
			break
		}
		if Size(n) > (1<<63-1)/u.bytes {
			return fmt.Errorf("size %q is too large", text)
		}
		*s = Size(n) * u.bytes
		return nil
	}
	return fmt.Errorf("%q is no size; write it like \"64MiB\", \"64MB\" or \"65536\"", text)
}

// MarshalText writes the shortest exact form.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String is the size in the largest binary unit that is exact, else in bytes.
func (s Size) String() string {
	for _, u := range [...]struct {
		name  string
		bytes Size
	}{{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}} {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// Bytes is the size as the sandbox counts it.
func (s Size) Bytes() int64 { return int64(s) }
