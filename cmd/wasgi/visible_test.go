package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/host"
)

func TestJSONLogHasNoControls(t *testing.T) {
	var out bytes.Buffer
	newServeLogger(&out, host.Config{LogFormat: "json"}).Info("\x1b[2J\u009b2J\x7f\u0080\u009f é \u00a0 \u2028 \u202e\u2066\n", "k\u009b", "\r\n")
	text := out.String()
	_, text, _ = strings.Cut(text, `"msg":`)
	want := `"\u001b[2J\u009b2J\u007f\u0080\u009f é ` + "\u00a0" + ` \u2028 \u202e\u2066\n","k\u009b":"\r\n"}` + "\n"
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
