package tenantlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// readRecord reads what slog's JSON or text handler has written. What is no record,
// as a crash may leave it, becomes the message of one, at the time of the one
// before.
func readRecord(text []byte, last time.Time) Line {
	l := Line{Fields: map[string]string{}}
	var ok bool
	if bytes.HasPrefix(text, []byte("{")) {
		ok = l.readJSON(text)
	} else {
		ok = l.readText(string(text))
	}
	if !ok || l.Time.IsZero() {
		return Line{Time: last, Message: cut(strings.ToValidUTF8(string(text), "\uFFFD")), Fields: map[string]string{}}
	}
	delete(l.Fields, "tenant")
	return l
}

func (l *Line) readJSON(text []byte) bool {
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&members) != nil {
		return false
	}
	l.members("", members)
	return true
}

func (l *Line) members(group string, all map[string]any) {
	for name, v := range all {
		if inner, is := v.(map[string]any); is {
			l.members(group+name+".", inner)
			continue
		}
		l.set(group+name, fmt.Sprint(v))
	}
}

// readText reads NAME=VALUE…, each part in Go's quotes where it needs them.
func (l *Line) readText(text string) bool {
	for text != "" {
		name, rest, ok := part(text, "=")
		if !ok || !strings.HasPrefix(rest, "=") {
			return false
		}
		value, rest, ok := part(rest[1:], " ")
		if !ok {
			return false
		}
		l.set(name, value)
		text = strings.TrimPrefix(rest, " ")
	}
	return true
}

// part is what stands before the end, or in quotes.
func part(text, end string) (value, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		if i := strings.Index(text, end); i >= 0 {
			return text[:i], text[i:], true
		}
		return text, "", true
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", "", false
	}
	value, err = strconv.Unquote(quoted)
	return value, text[len(quoted):], err == nil
}

func (l *Line) set(name, value string) {
	switch name {
	case slog.TimeKey:
		l.Time, _ = time.Parse(time.RFC3339Nano, value) // zero is no time
	case slog.LevelKey:
		_ = l.Level.UnmarshalText([]byte(value)) // stays INFO
	case slog.MessageKey:
		l.Message = cut(value)
	default:
		l.Fields[name] = cut(value)
	}
}

// timeOf reads the time, which both handlers write first.
func timeOf(head []byte) (time.Time, bool) {
	text, ok := strings.CutPrefix(string(head), `{"time":"`)
	if !ok {
		if text, ok = strings.CutPrefix(string(head), "time="); !ok {
			return time.Time{}, false
		}
	}
	if i := strings.IndexAny(text, `" `); i >= 0 {
		text = text[:i]
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}
