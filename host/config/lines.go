package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// keyLine is a key of a TOML text and the line it stands on. A key in a table
// is written with dots.
type keyLine struct {
	key  string
	line int
}

// keyLines lists the keys and tables of a text in order. It fails with
// file:line:column when the text is not TOML.
func keyLines(path string, text []byte) ([]keyLine, error) {
	if err := parseable(path, text); err != nil {
		return nil, err
	}
	var out []keyLine
	table := ""
	p := unstable.Parser{}
	p.Reset(text)
	for p.NextExpression() {
		e := p.Expression()
		name, line := dotted(&p, e)
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = name + "."
			out = append(out, keyLine{name, line})
		case unstable.KeyValue:
			out = append(out, keyLine{table + name, line})
		}
	}
	return out, p.Error()
}

func dotted(p *unstable.Parser, e *unstable.Node) (name string, line int) {
	var parts []string
	for it := e.Key(); it.Next(); {
		if line == 0 {
			line = p.Shape(p.Range(it.Node().Data)).Start.Line
		}
		parts = append(parts, string(it.Node().Data))
	}
	return strings.Join(parts, "."), line
}

func parseable(path string, text []byte) error {
	var any map[string]any
	err := toml.Unmarshal(text, &any)
	var at *toml.DecodeError
	if errors.As(err, &at) {
		line, column := at.Position()
		return fmt.Errorf("%s:%d:%d: %w", path, line, column, err)
	}
	return err
}
