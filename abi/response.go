package abi

import "encoding/binary"

// ResponseHead is the argument of response_start: what the application passed
// to start_response (PEP 3333, "The start_response() Callable").
//
// Layout: u16 status code, u16 number of headers, u32 length of the reason
// phrase, its bytes, then for each header u32 length of the name, u32 length
// of the value, name bytes, value bytes, in the application's order.
type ResponseHead struct {
	Status  int    // three digits
	Reason  string // may be empty
	Headers []Pair // names as the application spelt them
}

// DecodeResponseHead decodes and checks what a guest passed. It fails with
// E2BIG above MaxResponseHead or MaxHeaders and with EINVAL when the message
// is malformed, the status is not 200 to 999, the reason or a value has a control character,
// or a name is not an HTTP token (RFC 9110 section 5.6.2). The guest checks
// the same in start_response, where the application sees the error; the host
// never relies on that.
func DecodeResponseHead(b []byte) (ResponseHead, error) {
	h, err := decodeHead(b)
	if err == nil && (h.Status < 200 || h.Status > 999 || !h.validText()) {
		return ResponseHead{}, EINVAL
	}
	return h, err
}

// decodeHead looks at the layout only.
func decodeHead(b []byte) (ResponseHead, error) {
	if len(b) > MaxResponseHead {
		return ResponseHead{}, E2BIG
	}
	c := newCursor(b)
	h := ResponseHead{Status: int(c.u16())}
	n := uint32(c.u16())
	if n > MaxHeaders {
		return ResponseHead{}, E2BIG
	}
	h.Reason = c.take(c.u32())
	h.Headers = decodePairs(c, n)
	if !c.done() {
		return ResponseHead{}, EINVAL
	}
	return h, nil
}

// StatusHints is the status of a head for response_hints.
const StatusHints = 103

// DecodeHints decodes and checks the argument of response_hints. It fails as
// DecodeResponseHead does, with EINVAL for any status but StatusHints.
func DecodeHints(b []byte) ([]Pair, error) {
	h, err := decodeHead(b)
	if err != nil {
		return nil, err
	}
	if h.Status != StatusHints || !h.validText() {
		return nil, EINVAL
	}
	return h.Headers, nil
}

// Encode is the reverse of DecodeResponseHead and of DecodeHints. It fails with
// E2BIG.
func (h ResponseHead) Encode() ([]byte, error) {
	if len(h.Headers) > MaxHeaders {
		return nil, E2BIG
	}
	b := binary.LittleEndian.AppendUint16(nil, uint16(h.Status))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(h.Headers)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h.Reason)))
	b = append(b, h.Reason...)
	for _, p := range h.Headers {
		b = appendString2(b, p.Key, p.Value)
	}
	if len(b) > MaxResponseHead {
		return nil, E2BIG
	}
	return b, nil
}

func (h ResponseHead) validText() bool {
	if !ValidValue(h.Reason) {
		return false
	}
	for _, p := range h.Headers {
		if !ValidName(p.Key) || !ValidValue(p.Value) {
			return false
		}
	}
	return true
}

// ValidName reports whether s is an HTTP token (RFC 9110 section 5.6.2).
func ValidName(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return true
}

func isTokenByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}

// ValidValue reports whether s has no control character but the horizontal
// tab (RFC 9110 section 5.5).
func ValidValue(s string) bool {
	for i := range len(s) {
		if (s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f {
			return false
		}
	}
	return true
}
