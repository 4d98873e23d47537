package wire

import (
	"encoding/binary"
	"time"

	"github.com/wasgi/wasgi/abi"
)

// Call is the payload of Serve: i64 nanoseconds until the deadline (0 for
// none), u8 whether there is a body, then the environ message.
type Call struct {
	Timeout time.Duration
	Body    bool
	Environ []byte
}

// Append lays c out.
func (c Call) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Timeout))
	b = appendBool(b, c.Body)
	return append(b, c.Environ...)
}

// DecodeCall is the reverse of Append. Environ is a part of b.
func DecodeCall(b []byte) (Call, error) {
	r := reader{b: b}
	c := Call{Timeout: time.Duration(r.u64()), Body: r.bool()}
	c.Environ = r.rest()
	return c, r.err()
}

// Piece is the payload of Write: an encoded response head with its u32 length
// before it (0 for none), u8 whether no byte follows, then bytes of the body.
type Piece struct {
	Head []byte // see abi.DecodeResponseHead
	Last bool
	Body []byte
}

// Append lays p out.
func (p Piece) Append(b []byte) []byte {
	b = appendBytes(b, p.Head)
	b = appendBool(b, p.Last)
	return append(b, p.Body...)
}

// DecodePiece is the reverse of Append. Head and Body are parts of b.
func DecodePiece(b []byte) (Piece, error) {
	r := reader{b: b}
	p := Piece{Head: r.bytes(abi.MaxResponseHead), Last: r.bool()}
	p.Body = r.rest()
	if len(p.Body) > MaxPiece {
		r.bad = true
	}
	return p, r.err()
}

// Chunk is the payload of Data: u8 how it went, then bytes of the body.
type Chunk struct {
	Failed bool // the host could not read the body
	Body   []byte
}

// DecodeChunk reads the payload of Data. Body is a part of b.
func DecodeChunk(b []byte) (Chunk, error) {
	r := reader{b: b}
	c := Chunk{Failed: r.bool()}
	c.Body = r.rest()
	return c, r.err()
}

// AppendFailed begins a Chunk; the body's bytes follow.
func AppendFailed(b []byte, failed bool) []byte { return appendBool(b, failed) }

// LogLine is the payload of Line: what was said outside of a request.
type LogLine struct {
	Source LineSource
	Level  int32 // of log/slog, for FromLogger
	Text   string
	Attrs  []abi.Pair // for FromLogger
}

// LineSource says where a LogLine comes from.
type LineSource uint8

// The sources.
const (
	FromStdout LineSource = iota
	FromStderr
	FromLogger // a record of log/slog
)

// Limits of a LogLine.
const (
	maxAttrs = 4
	maxText  = abi.MaxLog
)

// Append lays l out, cut to the limits: u8 source, i32 level, text, u8 number
// of attributes, and for each key and value; texts with their u32 length.
func (l LogLine) Append(b []byte) []byte {
	b = append(b, byte(l.Source))
	b = binary.LittleEndian.AppendUint32(b, uint32(l.Level))
	b = appendText(b, l.Text)
	l.Attrs = l.Attrs[:min(len(l.Attrs), maxAttrs)]
	b = append(b, byte(len(l.Attrs)))
	for _, a := range l.Attrs {
		b = appendText(appendText(b, a.Key), a.Value)
	}
	return b
}

// DecodeLogLine is the reverse of Append.
func DecodeLogLine(b []byte) (LogLine, error) {
	r := reader{b: b}
	l := LogLine{Source: LineSource(r.u8()), Level: int32(r.u32()), Text: r.text()}
	n := int(r.u8())
	if l.Source > FromLogger || n > maxAttrs {
		r.bad = true
	}
	for i := 0; i < n && !r.bad; i++ {
		l.Attrs = append(l.Attrs, abi.Pair{Key: r.text(), Value: r.text()})
	}
	return l, r.done()
}

// Outcome is what a call ended with, the payload of Failed and a part of
// Result.
type Outcome struct {
	Kind      uint8  // a sandbox.Kind, 0 for success
	Usable    bool   // the instance may serve again
	Status    int32  // abi.Status
	Code      int32  // of proc_exit
	Op        string // which call
	Detail    string
	Traceback string
	Text      string // the error in one line
	Stats     Stats
}

// Stats are numbers for logs; the host decides nothing by them.
type Stats struct {
	Fuel   uint64
	CPU    time.Duration
	Dirty  uint32 // pages of the snapshot that the instance has written to
	Memory uint64
}

// Append lays o out in the order of its fields.
func (o Outcome) Append(b []byte) []byte {
	b = append(b, o.Kind)
	b = appendBool(b, o.Usable)
	b = binary.LittleEndian.AppendUint32(b, uint32(o.Status))
	b = binary.LittleEndian.AppendUint32(b, uint32(o.Code))
	for _, s := range [...]string{o.Op, o.Detail, o.Traceback, o.Text} {
		b = appendText(b, s)
	}
	b = binary.LittleEndian.AppendUint64(b, o.Stats.Fuel)
	b = binary.LittleEndian.AppendUint64(b, uint64(o.Stats.CPU))
	b = binary.LittleEndian.AppendUint32(b, o.Stats.Dirty)
	return binary.LittleEndian.AppendUint64(b, o.Stats.Memory)
}

// DecodeOutcome is the reverse of Append.
func DecodeOutcome(b []byte) (Outcome, error) {
	r := reader{b: b}
	o := r.outcome()
	return o, r.done()
}

func (r *reader) outcome() Outcome {
	return Outcome{
		Kind: r.u8(), Usable: r.bool(), Status: int32(r.u32()), Code: int32(r.u32()),
		Op: r.text(), Detail: r.text(), Traceback: r.text(), Text: r.text(),
		Stats: Stats{Fuel: r.u64(), CPU: time.Duration(r.u64()), Dirty: r.u32(), Memory: r.u64()},
	}
}

// Result is the payload of End: an Outcome, u8 whether a Piece follows, and the
// last piece of the response when it has not been sent before.
type Result struct {
	Outcome
	HasPiece bool
	Piece    Piece
}

// Append lays x out.
func (x Result) Append(b []byte) []byte {
	b = appendBool(x.Outcome.Append(b), x.HasPiece)
	if x.HasPiece {
		b = x.Piece.Append(b)
	}
	return b
}

// DecodeResult is the reverse of Append. The piece is a part of b.
func DecodeResult(b []byte) (Result, error) {
	r := reader{b: b}
	x := Result{Outcome: r.outcome(), HasPiece: r.bool()}
	if !x.HasPiece {
		return x, r.done()
	}
	if r.bad {
		return Result{}, ErrMalformed
	}
	var err error
	x.Piece, err = DecodePiece(r.b)
	return x, err
}

// DecodeLog reads the payload of Log.
func DecodeLog(b []byte) (abi.LogLevel, string, error) {
	r := reader{b: b}
	level := abi.LogLevel(r.u32())
	text := r.rest()
	if !level.Valid() || len(text) > abi.MaxLog {
		r.bad = true
	}
	return level, clean(text), r.err()
}

// AppendLog lays out the payload of Log.
func AppendLog(b []byte, level abi.LogLevel, text string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(level))
	return append(b, text[:min(len(text), abi.MaxLog)]...)
}

// DecodePrint reads the payload of Print. What the guest's own limits of a line
// do not allow is malformed.
func DecodePrint(b []byte) (LineSource, string, error) {
	r := reader{b: b}
	from := LineSource(r.u8())
	text := r.rest()
	if from > FromStderr || len(text) > abi.MaxLog {
		r.bad = true
	}
	return from, clean(text), r.err()
}

// AppendPrint lays out the payload of Print.
func AppendPrint(b []byte, from LineSource, line string) []byte {
	return append(append(b, byte(from)), line[:min(len(line), abi.MaxLog)]...)
}

// DecodeNumber reads the payload of Read (4 bytes) and Cancel (8).
func DecodeNumber(b []byte) (uint64, error) {
	switch len(b) {
	case 1:
		return uint64(b[0]), nil
	case 4:
		return uint64(binary.LittleEndian.Uint32(b)), nil
	case 8:
		return binary.LittleEndian.Uint64(b), nil
	}
	return 0, ErrMalformed
}
