package tenantlog

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzEscapeControls: what is decoded from the record is what went into it.
func FuzzEscapeControls(f *testing.F) {
	f.Add("\u202e\u2028\u009b[2J \x7f é\u00a0")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		record, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		escaped := escapeControls(record)
		for _, r := range string(escaped) {
			if r < ' ' || invisible(r) {
				t.Errorf("%q has the control %q", escaped, r)
			}
		}
		var back string
		if err := json.Unmarshal(escaped, &back); err != nil || back != text {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
	})
}
