package framing

import "strings"

// streamCase is what a client sends on one connection.
type streamCase struct {
	name   string
	text   string
	passes int   // requests that are whole
	fault  error // nil for none
}

const (
	get   = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n"
	post3 = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
	chunk = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
)

// with is a request with one more header line, without the CR LF at its end.
func with(line string) string { return "POST / HTTP/1.1\r\nHost: h\r\n" + line + "\r\n\r\n" }

func cases() []streamCase {
	all := [][]streamCase{goodStreams(), emptyLines(), badLines(), badHeaders(), badLengths(), badEncodings(), badChunks()}
	var out []streamCase
	for _, group := range all {
		out = append(out, group...)
	}
	return out
}

func goodStreams() []streamCase {
	return []streamCase{
		{"nothing", "", 0, nil},
		{"one", get, 1, nil},
		{"pipeline", get + post3 + get + chunk + "3\r\nabc\r\n0\r\n\r\n" + get, 5, nil},
		{"old", "GET / HTTP/1.0\r\n\r\n", 1, nil},
		{"old with a host", "GET / HTTP/1.0\r\nHost:\r\n\r\n", 1, nil},
		{"no host's name", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 1, nil},
		{"half of a head", get + "GET / HTTP/1.1\r\nHos", 1, nil},
		{"half of a body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabc", 0, nil},
		{"tabs and bytes above ASCII", with("X: \t a\tb \xff\xc3\xa9 \t"), 1, nil},
		{"an empty value", with("X:"), 1, nil},
		{"an odd name", with("a!#$%&'*+-.^_`|~1: x"), 1, nil},
		{"bytes above ASCII in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 1, nil},
		{"length in spaces", "POST / HTTP/1.1\r\nHost: h\r\ncontent-LENGTH: \t 003 \t\r\n\r\nabc" + get, 2, nil},
		{"length zero", with("Content-Length: 0") + get, 2, nil},
		{"capital chunked", "POST / HTTP/1.1\r\nHost: h\r\nTRANSFER-encoding: Chunked \r\n\r\n0\r\n\r\n" + get, 2, nil},
		{"chunks", chunk + "a\r\n0123456789\r\n0F;x=\"y z\";q\r\n012345678901234\r\n000\r\n\r\n" + get, 2, nil},
		{"trailers", chunk + "1\r\nx\r\n0\r\nX-End: yes\r\nY:\r\n\r\n" + get, 2, nil},
		{"long value", with("X: " + strings.Repeat("x", 10_000)), 1, nil},
		{"upgrade", with("Connection: Upgrade\r\nUpgrade: h2c") + get, 2, nil},
	}
}

// emptyLines come before a request, where one does not pass.
func emptyLines() []streamCase {
	return []streamCase{
		{"before the first request", "\r\n" + get, 1, nil},
		{"after a body", post3 + "\r\n" + get, 2, nil},
		{"after a head and again", get + "\r\n" + get + "\r\n" + post3 + get, 4, nil},
		{"before the end", get + "\r\n", 1, nil},
	}
}

func badLines() []streamCase {
	return []streamCase{
		{"HTTP/0.9", "GET /\r\n", 0, ErrRequestLine},
		{"no version", "GET / \r\n\r\n", 0, ErrRequestLine},
		{"no method", " / HTTP/1.1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"no target", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"two spaces before the version", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"space after the version", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"tab for a space", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"method that is no token", "GE(T / HTTP/1.1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"control character in the target", "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"DEL in the target", "GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"small letters", "GET / http/1.1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"long version", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"short version", "GET / HTTP/1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 0, ErrVersion},
		{"HTTP/3.0", get + "GET / HTTP/3.0\r\nHost: h\r\n\r\n" + get, 1, ErrVersion},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, ErrVersion},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 0, ErrRequestLine},
		{"request line in LF", get + "GET / HTTP/1.1\nHost: h\r\n\r\n", 1, ErrBareLF},
		{"CR in the request line", "GET /\r HTTP/1.1\r\nHost: h\r\n\r\n", 0, ErrRequestLine},
		{"CR after the version", "GET / HTTP/1.1\r\rHost: h\r\n\r\n", 0, ErrBareCR},
		{"LF first", "\n" + get, 0, ErrBareLF},
		{"two empty lines first", "\r\n\r\n" + get, 0, ErrRequestLine},
		{"CR first", "\r" + get, 0, ErrBareCR},
		{"space first", get + " " + get, 1, ErrRequestLine},
		{"garbage behind a body", post3 + "d" + get, 2, nil}, // dGET is a method
	}
}

func badHeaders() []streamCase {
	return []streamCase{
		{"header line in LF", "GET / HTTP/1.1\r\nHost: h\n\r\n", 0, ErrBareLF},
		{"head in LF", "GET / HTTP/1.1\r\nHost: h\r\n\n", 0, ErrBareLF},
		{"CR in a value", with("X: a\rb"), 0, ErrBareCR},
		{"CR for the empty line", "GET / HTTP/1.1\r\nHost: h\r\n\rX", 0, ErrBareCR},
		{"LF in a name", with("X\nY: a"), 0, ErrBareLF},
		{"CR in a name", with("X\rY: a"), 0, ErrName},
		{"folded by a space", with("X: a\r\n b"), 0, ErrFold},
		{"folded by a tab", with("X: a\r\n\tb"), 0, ErrFold},
		{"folded at the beginning", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 0, ErrFold},
		{"folded Transfer-Encoding", with("Transfer-Encoding:\r\n chunked"), 0, ErrEncoding},
		{"space before the colon", with("X : a"), 0, ErrName},
		{"tab before the colon", with("X\t: a"), 0, ErrName},
		{"empty name", with(": a"), 0, ErrName},
		{"no colon", with("X"), 0, ErrName},
		{"brackets in a name", with("X[]: a"), 0, ErrName},
		{"name above ASCII", with("X\xe9: a"), 0, ErrName},
		{"NUL in a name", with("X\x00: a"), 0, ErrName},
		{"NUL in a value", with("X: a\x00b"), 0, ErrValue},
		{"VT in a value", with("X: \x0b"), 0, ErrValue},
		{"DEL in a value", with("X: \x7f"), 0, ErrValue},
		{"no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", 0, ErrHost},
		{"two Hosts", with("Host: h"), 0, ErrHost},
		{"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", 0, ErrHost},
	}
}

func badLengths() []streamCase {
	out := []streamCase{
		{"twice the same length", with("Content-Length: 3\r\nContent-Length: 3") + "abc", 0, ErrLength},
		{"two lengths", with("Content-Length: 3\r\nContent-Length: 4") + "abc", 0, ErrLength},
		{"both", with("Content-Length: 3\r\nTransfer-Encoding: chunked") + "0\r\n\r\n", 0, ErrBoth},
		{"both the other way round", with("Transfer-Encoding: chunked\r\ncontent-length: 3") + "0\r\n\r\n", 0, ErrBoth},
		{"both behind another", get + with("Content-Length: 0\r\nTransfer-Encoding: chunked") + "0\r\n\r\n" + get, 1, ErrBoth},
	}
	for _, v := range []string{"", "+3", "-3", "0x3", "3,3", "3, 3", "3 3", "3.0", "3e0", "1_0", "three", "\"3\"", "3;", "1234567890123456789", "3" + strings.Repeat(" ", 30)} {
		out = append(out, streamCase{"length " + v, with("Content-Length: "+v) + "abc", 0, ErrLength})
	}
	return out
}

func badEncodings() []streamCase {
	out := []streamCase{
		{"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, ErrEncoding},
		{"chunked twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked") + "0\r\n\r\n", 0, ErrEncoding},
		{"identity and chunked", with("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"), 0, ErrEncoding},
		{"VT before chunked", with("Transfer-Encoding: \x0bchunked"), 0, ErrValue},
		{"NUL behind chunked", with("Transfer-Encoding: chunked\x00"), 0, ErrValue},
		{"space in the name", with("Transfer-Encoding : chunked"), 0, ErrName},
	}
	for _, v := range []string{"", "gzip", "identity", "gzip, chunked", "chunked, chunked", "chunked,", "chunked;q=1", "xchunked", "chunkedx", "chun ked", "\xefchunked", "'chunked'", strings.Repeat("x", 50)} {
		out = append(out, streamCase{"encoding " + v, with("Transfer-Encoding: " + v), 0, ErrEncoding})
	}
	return out
}

func badChunks() []streamCase {
	out := []streamCase{
		{"much extension", chunk + "1;" + strings.Repeat("x", maxChunkLine+1) + "\r\nx\r\n0\r\n\r\n", 0, ErrChunk},
		{"trailer with a length", chunk + "0\r\nContent-Length: 3\r\n\r\n", 0, ErrTrailer},
		{"trailer with an encoding", chunk + "0\r\nTransfer-Encoding: chunked\r\n\r\n", 0, ErrTrailer},
		{"trailer with a host", chunk + "0\r\nHost: x\r\n\r\n", 0, ErrTrailer},
		{"many trailers", chunk + "0\r\n" + strings.Repeat("X: y\r\n", maxTrailers), 0, ErrTrailer},
		{"trailer in LF", chunk + "0\r\nX: y\n\r\n", 0, ErrBareLF},
		{"trailers' end in LF", chunk + "0\r\n\n", 0, ErrBareLF},
		{"trailer without a colon", chunk + "0\r\nGET / HTTP/1.1\r\n\r\n", 0, ErrName},
		{"folded trailer", chunk + "0\r\nX: y\r\n z\r\n\r\n", 0, ErrFold},
		{"behind another", get + chunk + "1\r\nxy\r\n0\r\n\r\n" + get, 1, ErrChunk},
	}
	for _, line := range []string{"", ";x", "0x1", "+1", "-1", " 1", "1 ", "1 ;x", "1\t", "1,", "g", "1_0", "1;x\x00", "1;\x7f", "1;\x0b", "1;\xe9", "1234567890abcdef", "1;x\n", "1\n"} {
		out = append(out, streamCase{"chunk " + line, chunk + line + "\r\nx\r\n0\r\n\r\n", 0, ErrChunk})
	}
	for _, data := range []string{"x\n", "x\r\r", "xx\r\n", "x0\r\n\r\n"} {
		out = append(out, streamCase{"data " + data, chunk + "1\r\n" + data + "0\r\n\r\n", 0, ErrChunk})
	}
	for _, cr := range []string{"1\rx", "1;x\rx", "0\rx"} {
		out = append(out, streamCase{"line " + cr, chunk + cr, 0, ErrChunk})
	}
	return out
}
