package console

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// sentence begins with a capital and ends with a full stop. A name, as of a tenant
// or a file, stays as it is.
func sentence(text string) string {
	text = visible(text)
	if text == "" {
		return ""
	}
	word, _, _ := strings.Cut(text, " ")
	if !strings.ContainsFunc(word, func(c rune) bool { return !unicode.IsLetter(c) }) {
		first, size := utf8.DecodeRuneInString(text)
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if strings.ContainsRune(text, '\n') || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// thin is the space between groups of digits.
const thin = "\u2009"

// count is a number for people: 12 345.
func count(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var out []string
	for len(digits) > 4 || len(out) > 0 && len(digits) > 3 {
		out = append([]string{digits[len(digits)-3:]}, out...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, out...), thin)
}

// size is a number of bytes with three digits that matter, and its unit.
func size(bytes float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for bytes >= 1000 && i < len(units)-1 {
		bytes /= 1024
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", bytes)
	}
	return short(bytes) + " " + units[i]
}

// short is a number with about three digits that matter.
func short(n float64) string {
	switch {
	case n >= 99.95 || n == float64(int64(n)):
		return count(uint64(n + 0.5))
	case n >= 9.995:
		return strconv.FormatFloat(n, 'f', 1, 64)
	default:
		return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(n, 'f', 2, 64), "0"), ".")
	}
}

// span is a time that a request takes.
func span(seconds float64) string {
	switch {
	case seconds < 0:
		return "–"
	case seconds < 0.9995:
		return short(seconds*1000) + " ms"
	default:
		return short(seconds) + " s"
	}
}

// moment is a time as pages show it.
type moment struct {
	ISO   string // for programs
	Text  string // for people, UTC
	Since string // how long ago
}

func momentOf(t, now time.Time) moment {
	t = t.UTC()
	m := moment{ISO: t.Format(time.RFC3339), Text: t.Format("2 Jan 2006 15:04"), Since: ago(now.Sub(t))}
	switch {
	case now.UTC().Format("2006-01-02") == t.Format("2006-01-02"):
		m.Text = t.Format("15:04:05")
	case now.UTC().Year() == t.Year():
		m.Text = t.Format("2 Jan 15:04")
	}
	return m
}

func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// digest is the beginning of one.
func digest(text string) string { return text[:min(len(text), 12)] }
