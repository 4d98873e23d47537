package tenants

import (
	"bytes"
	"strings"
)

// kind says how a name got bound at the top level of a module.
type kind uint8

const (
	assigned  kind = iota // name = value
	function              // def name(params)
	coroutine             // async def name(params)
	class                 // class name
	imported              // import module [as name]
	from                  // from module import original [as name]
)

// binding is one name that a module binds at its top level.
type binding struct {
	name  string
	kind  kind
	value string // assigned: the expression; function: its parameters; imported, from: the module
	item  string // from: the original name
}

// maxStatement bounds the text kept of one statement; the rest is skipped.
const maxStatement = 4096

// scanSource lists the top-level bindings of Python source, in order. It reads
// logical lines (strings, brackets and continuations are understood) and looks
// at those without indentation. It is no parser: it never fails, and what it
// does not understand binds nothing.
func scanSource(src []byte) []binding {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	l := lexer{src: src}
	var out []binding
	for l.pos < len(l.src) {
		line, indented := l.statement()
		for more := !indented; more; {
			var one string
			one, line, more = cutTop(line, ';')
			out = append(out, bindings(strings.TrimSpace(one))...)
		}
	}
	return out
}

// lexer cuts source into statements.
type lexer struct {
	src []byte
	pos int
	out []byte // text of the statement, without comments and line ends
}

// statement reads one logical line. It always moves on.
func (l *lexer) statement() (text string, indented bool) {
	l.out = l.out[:0]
	if c := l.src[l.pos]; c == ' ' || c == '\t' || c == '\f' {
		indented = true
	}
	for depth := 0; l.pos < len(l.src); {
		switch c := l.src[l.pos]; c {
		case '#':
			l.comment()
		case '\'', '"':
			l.literal()
		case '\\':
			l.pos = min(l.pos+1+l.lineEnd(l.pos+1), len(l.src))
			l.keep(' ')
		case '\n', '\r':
			l.pos++
			if depth == 0 {
				return strings.TrimSpace(string(l.out)), indented
			}
			l.keep(' ')
		default:
			depth = max(depth+nesting(c), 0)
			l.keep(c)
			l.pos++
		}
	}
	return strings.TrimSpace(string(l.out)), indented
}

func (l *lexer) keep(c byte) {
	if len(l.out) < maxStatement {
		l.out = append(l.out, c)
	}
}

func (l *lexer) comment() {
	for l.pos < len(l.src) && l.src[l.pos] != '\n' && l.src[l.pos] != '\r' {
		l.pos++
	}
}

// lineEnd is the length of the line end at i: 0, 1 or 2.
func (l *lexer) lineEnd(i int) int {
	switch {
	case bytes.HasPrefix(l.src[min(i, len(l.src)):], []byte("\r\n")):
		return 2
	case i < len(l.src) && (l.src[i] == '\n' || l.src[i] == '\r'):
		return 1
	}
	return 0
}

// literal reads a string. One with single quotes that is not closed ends with
// its line, so that a mistake there does not swallow the file.
func (l *lexer) literal() {
	quote := l.src[l.pos : l.pos+1]
	if triple := bytes.Repeat(quote, 3); bytes.HasPrefix(l.src[l.pos:], triple) {
		quote = triple
	}
	for range quote {
		l.keep(quote[0])
	}
	for l.pos += len(quote); l.pos < len(l.src); l.pos++ {
		c := l.src[l.pos]
		switch {
		case bytes.HasPrefix(l.src[l.pos:], quote):
			l.pos += len(quote)
			for range quote {
				l.keep(quote[0])
			}
			return
		case c == '\\':
			l.keep(c)
			l.pos++
			if l.pos < len(l.src) {
				l.keep(l.src[l.pos])
			}
		case len(quote) == 1 && (c == '\n' || c == '\r'):
			return
		default:
			l.keep(c)
		}
	}
}

func nesting(c byte) int {
	switch c {
	case '(', '[', '{':
		return 1
	case ')', ']', '}':
		return -1
	}
	return 0
}

// bindings says what one top-level statement binds.
func bindings(line string) []binding {
	word, rest := cutWord(line)
	switch word {
	case "":
		return nil
	case "import":
		return importBindings(rest)
	case "from":
		return fromBindings(rest)
	case "def":
		return defBinding(rest, function)
	case "class":
		name, _ := cutWord(rest)
		return named(binding{name: name, kind: class})
	case "async":
		if word, rest = cutWord(rest); word == "def" {
			return defBinding(rest, coroutine)
		}
		return nil
	}
	return assignments(line)
}

func named(b binding) []binding {
	if b.name == "" {
		return nil
	}
	return []binding{b}
}

// cutWord splits off a leading identifier and the space after it.
func cutWord(s string) (word, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool { return !identifier("_" + string(r)) })
	if end < 0 {
		end = len(s)
	}
	return s[:end], strings.TrimLeft(s[end:], " \t\f")
}

func importBindings(list string) []binding {
	var out []binding
	for part := range strings.SplitSeq(list, ",") {
		module, name, renamed := strings.Cut(strings.TrimSpace(part), " as ")
		if !renamed {
			name, _, _ = strings.Cut(module, ".")
		}
		out = append(out, binding{name: strings.TrimSpace(name), kind: imported, value: module})
	}
	return out
}

func fromBindings(text string) []binding {
	module, list, ok := strings.Cut(text, "import")
	if !ok {
		return nil
	}
	var out []binding
	for part := range strings.SplitSeq(strings.Trim(list, " \t()"), ",") {
		item, name, renamed := strings.Cut(strings.TrimSpace(part), " as ")
		if !renamed {
			name = item
		}
		name = strings.TrimSpace(name)
		if identifier(name) {
			out = append(out, binding{name: name, kind: from, value: strings.TrimSpace(module), item: item})
		}
	}
	return out
}

func defBinding(text string, k kind) []binding {
	name, rest := cutWord(text)
	open := strings.IndexByte(rest, '(')
	if open < 0 {
		return nil
	}
	params, _, _ := cutTop(rest[open+1:], ')')
	return named(binding{name: name, kind: k, value: params})
}

// assignments reads `a = b = value`, with or without an annotation.
func assignments(line string) []binding {
	var names []string
	for {
		target, rest, ok := cutTop(line, '=')
		if !ok || strings.HasPrefix(rest, "=") || endsOperator(target) {
			break
		}
		name, after := cutWord(strings.TrimSpace(target))
		if identifier(name) && (after == "" || after[0] == ':') {
			names = append(names, name)
		}
		line = strings.TrimSpace(rest)
	}
	out := make([]binding, 0, len(names))
	for _, name := range names {
		out = append(out, binding{name: name, kind: assigned, value: line})
	}
	return out
}

// endsOperator reports whether the text before "=" makes it another operator:
// "!=", "+=", "<=", ":=".
func endsOperator(target string) bool {
	return target == "" || strings.IndexByte("!<>+-*/%&|^@:", target[len(target)-1]) >= 0
}

// cutTop splits at the first sep that is in no bracket and no string.
func cutTop(s string, sep byte) (before, after string, found bool) {
	depth := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == sep && depth == 0:
			return s[:i], s[i+1:], true
		case c == '\'' || c == '"':
			i = skipString(s, i)
		default:
			depth = max(depth+nesting(c), 0)
		}
	}
	return s, "", false
}

// skipString returns the index of the last byte of the string that starts at i.
func skipString(s string, i int) int {
	quote := s[i : i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s[i:], triple) {
		quote = triple
	}
	for j := i + len(quote); j < len(s); j++ {
		if s[j] == '\\' {
			j++
		} else if strings.HasPrefix(s[j:], quote) {
			return j + len(quote) - 1
		}
	}
	return len(s)
}

// required counts the parameters that a call must give.
func required(params string) int {
	n := 0
	for params != "" {
		var p string
		p, params, _ = cutTop(params, ',')
		p = strings.TrimSpace(p)
		_, _, optional := cutTop(p, '=')
		if p != "" && p != "/" && p[0] != '*' && !optional {
			n++
		}
	}
	return n
}

// callee is what an expression calls: "flask.Flask" for `flask.Flask(__name__)`,
// "" when it is no plain call.
func callee(expression string) string {
	open := strings.IndexByte(expression, '(')
	if open < 0 {
		return ""
	}
	name := strings.TrimSpace(expression[:open])
	if !dottedName(name) {
		return ""
	}
	return name
}

// text is the value of an expression that is one plain string, "" otherwise.
func text(expression string) string {
	s := strings.TrimSpace(expression)
	if len(s) < 2 || s[0] != '\'' && s[0] != '"' || skipString(s, 0) != len(s)-1 || strings.Contains(s, "\\") {
		return ""
	}
	return strings.Trim(s, s[:1])
}
