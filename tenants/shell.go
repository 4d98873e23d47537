package tenants

import "strings"

// shellWords splits a command line as a POSIX shell does, as far as a Procfile
// needs it: quotes, backslashes and separators; nothing is expanded.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	started := false
	flush := func() {
		if started {
			words = append(words, word.String())
		}
		word.Reset()
		started = false
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t', '\r', '\n':
			flush()
		case '\'', '"':
			started = true
			i = quoted(line, i, &word)
		case '\\':
			started = true
			if i++; i < len(line) {
				word.WriteByte(line[i])
			}
		case ';', '&', '|':
			flush()
			end := i + 1
			for end < len(line) && line[end] == c && c != ';' {
				end++
			}
			words = append(words, line[i:end])
			i = end - 1
		default:
			started = true
			word.WriteByte(c)
		}
	}
	flush()
	return words
}

// quoted copies the string that starts at i and returns the index of its end.
func quoted(line string, i int, word *strings.Builder) int {
	quote := line[i]
	for i++; i < len(line) && line[i] != quote; i++ {
		if quote == '"' && line[i] == '\\' && i+1 < len(line) {
			i++
		}
		word.WriteByte(line[i])
	}
	return i
}

// options are the arguments of a server's command line.
type options struct {
	all        map[string][]string
	positional []string // what follows no option
	loose      []string // what follows an option: its value, or positional after a flag
}

// readOptions sorts arguments without knowing which options take a value.
func readOptions(args []string) options {
	o := options{all: map[string][]string{}}
	for i, a := range args {
		name, value, joined := strings.Cut(a, "=")
		switch {
		case joined && strings.HasPrefix(a, "-"):
			o.all[name] = append(o.all[name], value)
		case strings.HasPrefix(a, "-"):
			if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				o.all[a] = append(o.all[a], args[i+1])
			} else {
				o.all[a] = append(o.all[a], "")
			}
		case i > 0 && strings.HasPrefix(args[i-1], "-") && !strings.Contains(args[i-1], "="):
			if !takesAddress(args[i-1]) {
				o.loose = append(o.loose, a)
			}
		default:
			o.positional = append(o.positional, a)
		}
	}
	return o
}

// takesAddress names the options whose value may look like module:callable.
func takesAddress(option string) bool {
	switch option {
	case "-b", "--bind", "-c", "--config", "--listen", "--host", "-k", "--worker-class", "--unix-socket", "-e", "--env":
		return true
	}
	return false
}

func (o options) has(names ...string) bool {
	for _, n := range names {
		if _, ok := o.all[n]; ok {
			return true
		}
	}
	return false
}

// last is the value of the last of the named options, "" when none is given.
func (o options) last(names ...string) string {
	for _, n := range names {
		if v := o.all[n]; len(v) > 0 {
			return v[len(v)-1]
		}
	}
	return ""
}

// entry is the argument that names the application: the last module:callable,
// else the last positional module.
func (o options) entry() string {
	found := ""
	for _, a := range append(append([]string{}, o.loose...), o.positional...) {
		if strings.Contains(a, ":") && parses(a) {
			found = a
		}
	}
	if found != "" {
		return found
	}
	for _, a := range o.positional {
		if parses(a) {
			found = a
		}
	}
	return found
}

func parses(entry string) bool {
	_, err := ParseEntry(entry)
	// A factory with arguments is meant as an entry; the error is for the user.
	return err == nil || strings.Contains(entry, ":") && strings.Contains(entry, "(") && strings.HasSuffix(entry, ")")
}
