package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wasgi/wasgi/host"
)

func TestJSONLogHasNoControls(t *testing.T) {
	var out bytes.Buffer
	newServeLogger(&out, host.Config{LogFormat: "json"}).Info("\x1b[2J\u009b2J\x7f\u0080\u009f é \u00a0 \u2028\n", "k\u009b", "\r\n")
	text := out.String()
	_, text, _ = strings.Cut(text, `"msg":`)
	want := `"\u001b[2J\u009b2J\u007f\u0080\u009f é ` + "\u00a0" + ` \u2028\n","k\u009b":"\r\n"}` + "\n"
	if text != want {
		t.Errorf("got  %q\nwant %q", text, want)
	}
}

func TestTextLogHasNoControls(t *testing.T) {
	var out bytes.Buffer
	newServeLogger(&out, host.Config{}).Info("\x7f", "a", "\x1b\u009b\x7f")
	if _, text, _ := strings.Cut(out.String(), "msg="); text != `\u007f a="\x1b\u009b\x7f"`+"\n" {
		t.Errorf("got %q", text)
	}
}

// FuzzEscapeControls: what is decoded from the record is what went into it.
func FuzzEscapeControls(f *testing.F) {
	f.Add("\u009b[2J \x7f é\u00a0")
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
			if r < ' ' || r >= 0x7f && r < 0xa0 {
				t.Errorf("%q has the control %q", escaped, r)
			}
		}
		var back string
		if err := json.Unmarshal(escaped, &back); err != nil || back != text {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
	})
}
