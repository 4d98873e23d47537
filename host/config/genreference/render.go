package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"time"

	"github.com/wasgi/wasgi/host/config"
)

const preamble = `# The server's configuration

Generated from the comments in config.go by ` + "`go generate`" + `; do not edit.

A setting is a key of the TOML file that ` + "`wasgi serve --config`" + ` reads, an environment
variable, or a flag; the flag counts for more than the variable, and that for more
than the file. Sizes are bytes and take B, KiB, MiB, GiB; durations are written as
30s or 5m. What may be reloaded changes with SIGHUP while requests are served.
`

// ofMachine are defaults that depend on where the server runs.
func ofMachine(key string) string {
	return map[string]string{
		"state_dir": "/var/lib/wasgi for root, otherwise below XDG_STATE_HOME", "cache_dir": "/var/cache/wasgi for root, otherwise below XDG_CACHE_HOME",
		"slots": "the number of processors", "builders": "half the number of processors", "max_instances": "twice the number of processors",
		"compressors": "four times the number of processors", "memory_budget": "four fifths of the machine's memory",
		"memory_per_tenant": "a fourth of memory_budget", "spool_memory_total": "a sixteenth of memory_budget, 8MiB to 256MiB",
		"response_memory_total":       "a thirty-second of memory_budget, 8MiB to 128MiB",
		"max_connections":             "what fits into a share of memory_budget, 256 to 10000",
		"max_connections_per_address": "a tenth of max_connections, at least 100",
	}[key]
}

// render is the document for the struct Config in a Go file.
func render(file string) (string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return "", err
	}
	object := parsed.Scope.Lookup("Config")
	if object == nil {
		return "", fmt.Errorf("%s has no Config", file)
	}
	defaults := reflect.ValueOf(config.Default(nil, 0))
	var b strings.Builder
	b.WriteString(preamble)
	for _, f := range object.Decl.(*ast.TypeSpec).Type.(*ast.StructType).Fields.List {
		for _, name := range f.Names {
			if err := section(&b, defaults, name.Name, f.Doc.Text()); err != nil {
				return "", err
			}
		}
	}
	return b.String(), nil
}

func section(b *strings.Builder, defaults reflect.Value, name, doc string) error {
	field, _ := defaults.Type().FieldByName(name)
	key := field.Tag.Get("koanf")
	switch {
	case key == "-":
		return nil
	case key == "" || doc == "":
		return fmt.Errorf("%s: a key and a comment are wanted", name)
	}
	fallback := ofMachine(key)
	if fallback == "" {
		fallback = literal(defaults.FieldByName(name).Interface())
	}
	again := "only at the start"
	if field.Tag.Get("reload") != "" {
		again = "reloaded"
	}
	fmt.Fprintf(b, "\n## %s\n\n%s · default %s · `%s%s` · `--%s` · %s\n\n%s", key, kind(field.Type), fallback,
		config.EnvPrefix, strings.ToUpper(key), strings.ReplaceAll(key, "_", "-"), again, doc)
	return nil
}

// kind is the type in an operator's words, with the unit.
func kind(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[config.Bytes]():
		return "size in bytes"
	case reflect.TypeFor[config.List]():
		return "list of strings"
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[int]():
		return "whole number"
	}
	return t.String()
}

func literal(value any) string {
	if text := fmt.Sprint(value); text != "" {
		return "`" + text + "`"
	}
	return "empty"
}
