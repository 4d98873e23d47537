package tenants

import (
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// manifestKeys lists every dotted key of a manifest.
func manifestKeys() []string {
	var keys []string
	walkKeys(reflect.TypeFor[Manifest](), "", func(key string, _ reflect.Type) { keys = append(keys, key) })
	return keys
}

// walkKeys visits the keys of a struct and of the tables in it.
func walkKeys(t reflect.Type, prefix string, visit func(key string, t reflect.Type)) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("toml")
		if name == "" || name == "-" {
			continue
		}
		visit(prefix+name, f.Type)
		if isTable(f.Type) {
			walkKeys(f.Type, prefix+name+".", visit)
		}
	}
}

func isTable(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[Duration]()
}

// kindOf says in words what a key's value must be, "" for an unknown key.
func kindOf(key string) string {
	words := ""
	walkKeys(reflect.TypeFor[Manifest](), "", func(k string, t reflect.Type) {
		if k == key {
			words = describe(t)
		}
	})
	return words
}

func describe(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Duration]():
		return `a time span in quotes, like "30s"`
	case t == reflect.TypeFor[Size]():
		return `a size in quotes, like "64MiB", or a number of bytes`
	case t.Kind() == reflect.Slice:
		return `a list of texts, like ["a", "b"]`
	case t.Kind() == reflect.String:
		return `a text in quotes`
	case t.Kind() == reflect.Bool:
		return `true or false`
	case t.Kind() == reflect.Int:
		return `a whole number`
	}
	return "a table"
}

// wrongSpan finds a time span that is not written as text: the decoder would
// refuse it without saying where.
func wrongSpan(data []byte, table []string) string {
	var tree map[string]any
	if toml.Unmarshal(data, &tree) != nil {
		return ""
	}
	found := ""
	walkKeys(reflect.TypeFor[Manifest](), "", func(key string, t reflect.Type) {
		value, ok := lookupKey(tree, append(table[:len(table):len(table)], strings.Split(key, ".")...))
		_, text := value.(string)
		if ok && !text && t == reflect.TypeFor[Duration]() {
			found = key
		}
	})
	return found
}

func lookupKey(tree map[string]any, key []string) (any, bool) {
	for _, part := range key[:len(key)-1] {
		next, ok := tree[part].(map[string]any)
		if !ok {
			return nil, false
		}
		tree = next
	}
	value, ok := tree[key[len(key)-1]]
	return value, ok
}

// lineOf finds the line that sets a dotted key, 0 when it is written in a way
// that this simple reading does not find (an inline table).
func lineOf(data []byte, key string) int {
	table, number := "", 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if inside, ok := strings.CutPrefix(line, "["); ok {
			inside, _, _ = strings.Cut(inside, "]")
			if table = strings.TrimSpace(inside) + "."; table == key+"." {
				return number
			}
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		if ok && table+strings.TrimSpace(name) == key {
			return number
		}
	}
	return 0
}
