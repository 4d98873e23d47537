package bundle

import (
	"errors"
	"fmt"
)

// Limits bound what an archive may become.
type Limits struct {
	Archive int64 // bytes of the archive itself
	Bytes   int64 // of all files together, unpacked
	Files   int   // files and folders
}

// maxName is how long the name of an entry may be, in bytes, maxSegment how long
// each part of it, and maxDepth how many folders deep it may lie.
const (
	maxName    = 1024
	maxSegment = 255
	maxDepth   = 64
)

// Refusal is what is wrong with an archive, and the way out. It is the
// sender's to mend.
type Refusal struct {
	Entry string // "" when it is the whole archive
	Text  string
}

// Error is "the bundle's entry …: text".
func (r *Refusal) Error() string {
	if r.Entry == "" {
		return "the bundle " + r.Text
	}
	return fmt.Sprintf("the bundle's entry %q %s", shorten(r.Entry), r.Text)
}

func shorten(name string) string {
	if len(name) <= 200 {
		return name
	}
	return name[:200] + "…"
}

func refuse(entry, format string, args ...any) error {
	return &Refusal{entry, fmt.Sprintf(format, args...)}
}

// errTooMuch ends reading at a limit; it becomes a Refusal.
var errTooMuch = errors.New("more than the limit")
