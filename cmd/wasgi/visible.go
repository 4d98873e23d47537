package main

import (
	"bytes"
	"io"
)

// visible is a writer for records of a log that leaves no control character
// from U+007F on in them: JSON asks for escapes below U+0020 only, and terminals
// obey U+009B as they obey Escape; slog's text lacks Delete. Each Write holds
// whole records.
type visible struct{ out io.Writer }

func (v visible) Write(p []byte) (int, error) {
	if bytes.IndexByte(p, 0x7f) < 0 && bytes.IndexByte(p, 0xc2) < 0 {
		return v.out.Write(p)
	}
	if _, err := v.out.Write(escapeControls(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// escapeControls writes U+007F to U+009F as \u00XX. In valid JSON they stand
// in strings only.
func escapeControls(p []byte) []byte {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(p)+64)
	for i := 0; i < len(p); i++ {
		c := p[i]
		if c == 0xc2 && i+1 < len(p) && p[i+1] < 0xa0 {
			i++
			c = p[i]
		} else if c != 0x7f {
			out = append(out, c)
			continue
		}
		out = append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
	}
	return out
}
