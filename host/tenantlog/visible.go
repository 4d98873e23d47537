package tenantlog

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// Visible is a writer for records of a log that leaves nothing invisible in them
// which a terminal or a reader would obey: JSON asks for escapes below U+0020 only,
// and terminals obey U+009B as they obey Escape; slog's text lacks Delete. Marks of
// direction and line separators change what a person reads. Each Write holds whole
// records.
func Visible(out io.Writer) io.Writer { return visible{out} }

type visible struct{ out io.Writer }

func (v visible) Write(p []byte) (int, error) {
	if bytes.IndexFunc(p, invisible) < 0 {
		return v.out.Write(p)
	}
	if _, err := v.out.Write(escapeControls(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// invisible says whether a character above the controls of ASCII is to be
// escaped: Delete, the controls from U+0080 on, separators of lines, and marks of
// direction (Unicode TR36, section 2.5).
func invisible(r rune) bool {
	switch {
	case r < 0x7f:
		return false
	case r < 0xa0:
		return true
	}
	return r == 0x61c || r >= 0x200e && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// escapeControls writes what is invisible as \uXXXX. In valid JSON it stands in
// strings only.
func escapeControls(p []byte) []byte {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(p)+64)
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		if invisible(r) {
			out = append(out, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
		} else {
			out = append(out, p[:size]...)
		}
		p = p[size:]
	}
	return out
}
