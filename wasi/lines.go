package wasi

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Lines is a writer that hands on whole lines. It holds at most one line of at most its maximum, whatever is written:
// the rest of a longer line is counted and dropped. It is safe for concurrent use.
type Lines struct {
	mu      sync.Mutex
	emit    func(line string)
	max     int
	line    []byte
	dropped int64
}

// LineWriter returns a writer that calls emit for each line of a guest's output, without the line end ("\n" or "\r\n").
// Of a line longer than maxLine bytes the first maxLine are handed on, followed by " [… n bytes more]"; a character
// that the cut falls into goes with the rest. What is not UTF-8 becomes U+FFFD; control characters stay, escaping them
// is the log handler's work. maxLine below 1 counts as 1. emit must not write to the same writer.
func LineWriter(emit func(line string), maxLine int) *Lines {
	return &Lines{emit: emit, max: max(maxLine, 1)}
}

// Write implements io.Writer and never fails.
func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		part, after, whole := bytes.Cut(rest, []byte{'\n'})
		l.add(part)
		if whole {
			l.flush()
		}
		rest = after
	}
	return len(p), nil
}

// Close hands on the last line, if it has no end yet.
func (l *Lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.line) > 0 || l.dropped > 0 {
		l.flush()
	}
	return nil
}

func (l *Lines) add(part []byte) {
	n := min(len(part), l.max-len(l.line))
	l.line = append(l.line, part[:n]...)
	l.dropped += int64(len(part) - n)
}

func (l *Lines) flush() {
	line := bytes.TrimSuffix(l.line, []byte{'\r'})
	var more string
	if l.dropped > 0 {
		kept := wholeCharacters(line)
		more = " [… " + strconv.FormatInt(l.dropped+int64(len(line)-len(kept)), 10) + " bytes more]"
		line = kept
	}
	l.emit(strings.ToValidUTF8(string(line), "\uFFFD") + more)
	l.line, l.dropped = l.line[:0], 0
}

// wholeCharacters takes off the beginning of a character that a cut has left at the end.
func wholeCharacters(line []byte) []byte {
	for i := len(line) - 1; i >= 0 && i >= len(line)-utf8.UTFMax; i-- {
		if utf8.RuneStart(line[i]) {
			if utf8.FullRune(line[i:]) {
				return line
			}
			return line[:i]
		}
	}
	return line
}
