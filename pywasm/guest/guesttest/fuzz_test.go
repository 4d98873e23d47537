package guesttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

// FuzzEnviron gives the guest's decoder any message; it must accept what
// package abi accepts, read the same from it, and refuse the rest.
func FuzzEnviron(f *testing.F) {
	f.Setenv("WASGI_GUEST_APPS", "testdata/snapshots")
	valid := environ(f, "GET", "/caf\xc3\xa9", abi.Pair{Key: "HTTP_X", Value: "\xff"}, abi.Pair{Key: "CONTENT_LENGTH", Value: "12x"})
	f.Add(valid)
	f.Add(valid[:len(valid)-1])
	f.Add(append(slices.Clone(valid), 0))
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{1, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{1, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 'A'})
	in := start(f, abi.BootModeWSGI)
	in.load("echo:application")
	f.Fuzz(func(t *testing.T, message []byte) {
		if len(message) > abi.MaxMessage {
			t.Skip()
		}
		pairs, err := abi.DecodeEnviron(message)
		here := *in
		here.t = t // f is not to be used in here
		x := here.handle(message, &exchange{})
		switch {
		case err != nil && x.status != abi.StatusInvalid:
			t.Fatalf("%v, but the guest says %v", err, x.status)
		case err == nil && overrides(pairs):
			t.Skip("a gateway's own key is not the guest's to guard")
		case err == nil && (x.status != abi.StatusOK || x.calls[1].data != echo(pairs)):
			t.Fatalf("%v %v, want %q", x.status, x.calls, echo(pairs))
		}
	})
}

// overrides tells whether the message has a key that the base holds as well.
func overrides(pairs []abi.Pair) bool {
	return slices.ContainsFunc(pairs, func(p abi.Pair) bool {
		return strings.HasPrefix(p.Key, "wsgi.") && p.Key != "wsgi.url_scheme" && p.Key != "wsgi.request_id"
	})
}

// echo is what testdata/snapshots/echo.py answers.
func echo(pairs []abi.Pair) string {
	all := map[string]string{"SERVER_SOFTWARE": "wasgi/test", "X_EQUALS": "a=b"}
	for _, p := range pairs {
		all[p.Key] = p.Value
	}
	var b strings.Builder
	keys := make([]string, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(&b, "%d %s %d %s", len(k), k, len(all[k]), all[k])
	}
	return b.String()
}

// TestMessages gives the decoder of boot and load messages what is malformed.
func TestMessages(t *testing.T) {
	in := start(t, abi.BootModeWSGI)
	for name, message := range map[string]string{
		"empty":         "",
		"short count":   "\x01\x00",
		"many":          "\xff\xff\xff\xff",
		"no pair":       "\x01\x00\x00\x00",
		"long key":      "\x01\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00",
		"long value":    "\x01\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\x7f",
		"trailing":      "\x00\x00\x00\x00\x00",
		"unknown key":   "\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00ab",
		"no entry":      "\x00\x00\x00\x00",
		"no equals":     "\x01\x00\x00\x00\x07\x00\x00\x00\x01\x00\x00\x00environA",
		"no name":       "\x01\x00\x00\x00\x07\x00\x00\x00\x02\x00\x00\x00environ=A",
		"entry no utf8": "\x01\x00\x00\x00\x05\x00\x00\x00\x01\x00\x00\x00entry\xff",
	} {
		if status := in.message(in.context(&exchange{}), abi.ExportLoad, []byte(message)); status != abi.StatusInvalid {
			t.Errorf("%s: %v", name, status)
		}
	}
	in.load("hello:application")
}
