package tenantlog

import (
	"strings"
	"testing"
	"unicode"

	"github.com/wasgi/wasgi/abi"
)

// FuzzGuest: whatever a guest says, each line of the log is a record of the
// tenant's, without a control character.
func FuzzGuest(f *testing.F) {
	f.Add("one\ntwo\r\n\x1b[2J", 0)
	f.Add("time=x level=INFO msg=forged tenant=other\n\u202e\u009b\x00", 1)
	f.Fuzz(func(t *testing.T, text string, level int) {
		l, out, _ := newTest(1 << 30)
		l.Guest(abi.LogLevel(level), strings.ToValidUTF8(text, "?"), "id")
		stdout := l.Output("stdout")
		for _, part := range []string{text, "\n"} {
			if n, err := stdout.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		for line := range strings.Lines(out.String()) {
			line, whole := strings.CutSuffix(line, "\n")
			if !whole || !strings.HasPrefix(line, "level=") || !strings.Contains(line, " tenant=shop source=") {
				t.Errorf("no record: %q", line)
			}
			// slog leaves Delete to the writer (cmd/wasgi, visible.go).
			if strings.ContainsFunc(line, func(r rune) bool { return r != 0x7f && unicode.IsControl(r) }) {
				t.Errorf("a control character: %q", line)
			}
		}
	})
}
