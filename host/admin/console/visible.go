package console

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShown is how much of one text of a tenant a page shows, in bytes.
const maxShown = 16 << 10

// visible makes text of a tenant safe to look at: what a terminal would obey, and
// what turns the order of letters round, is written out. Lines and tabs stay.
func visible(text string) string {
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + " …"
	}
	if !strings.ContainsFunc(text, hidden) && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for _, c := range text {
		switch {
		case !hidden(c):
			b.WriteRune(c)
		case c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}

func hidden(c rune) bool {
	switch c {
	case '\n', '\t':
		return false
	case '\u061c', '\u200e', '\u200f', '\u2028', '\u2029', '\ufeff':
		return true
	}
	return unicode.IsControl(c) || c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069'
}
