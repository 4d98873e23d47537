package wire

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

// FuzzFrames reads whatever comes, and finds no frame above the limit.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{3, 0, 0, 0, byte(End), 1, 2, 3, 0, 0, 0, 0, byte(Ready)})
	f.Add([]byte{255, 255, 255, 255, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 64
		c := NewConn(readWriter{bytes.NewReader(b), nil}, limit)
		for total := 0; ; {
			_, payload, err := c.Read()
			if err != nil {
				break
			}
			if total += headerSize + len(payload); len(payload) > limit || total > len(b) {
				t.Fatalf("%d bytes of %d in frames up to %d", total, len(b), len(payload))
			}
		}
	})
}

// again says that what was decoded has one encoding only. Texts that are no
// UTF-8 are mended, and so are left out.
func again(t *testing.T, b, encoded []byte) {
	t.Helper()
	if bytes.IndexFunc(b, func(r rune) bool { return r == '\uFFFD' }) < 0 && !bytes.Equal(b, encoded) {
		t.Errorf("%x was read as %x", b, encoded)
	}
}

// FuzzMessages decodes whatever comes as each message.
func FuzzMessages(f *testing.F) {
	f.Add(Call{Timeout: 1, Body: true, Environ: []byte("e")}.Append(nil))
	f.Add(Piece{Head: []byte("h"), Last: true, Body: []byte("b")}.Append(nil))
	f.Add(LogLine{Source: FromLogger, Text: "t", Attrs: []abi.Pair{{Key: "k", Value: "v"}}}.Append(nil))
	f.Add(Outcome{Kind: 1, Text: "t"}.Append(nil))
	f.Add(Result{Outcome: Outcome{Kind: 1}, HasPiece: true, Piece: Piece{Head: []byte("h")}}.Append(nil))
	f.Add(AppendLog(nil, abi.LogErrors, "t"))
	f.Add(AppendPrint(nil, FromStderr, "t"))
	f.Add(NetworkRequest{Number: 1, Kind: NetDial, Stream: true, To: netip.MustParseAddrPort("[2001:db8::1]:80")}.Append(nil))
	f.Add(NetworkReply{Number: 1, Status: NetRefused, Rule: "r", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if from, line, err := DecodePrint(b); err == nil {
			again(t, b, AppendPrint(nil, from, line))
		}
		if m, err := DecodeCall(b); err == nil {
			again(t, b, m.Append(nil))
		}
		if m, err := DecodeNetworkRequest(b); err == nil {
			again(t, b, m.Append(nil))
		}
		if m, err := DecodeNetworkReply(b); err == nil {
			again(t, b, m.Append(nil))
		}
		if m, err := DecodePiece(b); err == nil {
			again(t, b, m.Append(nil))
		}
		if m, err := DecodeLogLine(b); err == nil {
			again(t, b, m.Append(nil))
		}
		if m, err := DecodeOutcome(b); err == nil {
			again(t, b, m.Append(nil))
		}
		if m, err := DecodeResult(b); err == nil {
			again(t, b, m.Append(nil))
		}
		if level, text, err := DecodeLog(b); err == nil {
			again(t, b, AppendLog(nil, level, text))
		}
		if m, err := DecodeChunk(b); err == nil {
			again(t, b, append(AppendFailed(nil, m.Failed), m.Body...))
		}
		_, _ = DecodeNumber(b)
	})
}
