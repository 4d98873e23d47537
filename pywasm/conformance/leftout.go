package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed leftout/*.json
var leftOutFiles embed.FS

// A leftOut is one entry of a list: tests that do not pass here, and why.
type leftOut struct {
	Reason string   `json:"reason"`
	Tests  []string `json:"tests"`            // names; a star stands for any text
	NotRun bool     `json:"notRun,omitempty"` // they would hang, or end the guest
	// Error says what the failure must read, a star standing for any text: of the
	// tests, those that fail in this way are left out. Without it, all must fail.
	Error string `json:"error,omitempty"`
}

// covers tells whether a pattern of the entry's tests is about an outcome.
func (l leftOut) covers(pattern string, t record) bool {
	if !matches(pattern, t.Test) {
		return false
	}
	return l.Error == "" || t.Outcome != passed && matches(l.Error, t.Detail)
}

// leftOutOf reads the list of a suite; a suite may have none.
func leftOutOf(suite string) ([]leftOut, error) {
	text, err := leftOutFiles.ReadFile("leftout/" + suite + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := parseLeftOut(text)
	if err != nil {
		return nil, fmt.Errorf("leftout/%s.json: %w", suite, err)
	}
	return list, nil
}

func parseLeftOut(text []byte) ([]leftOut, error) {
	var list []leftOut
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	for i, l := range list {
		if l.Reason == "" || len(l.Tests) == 0 {
			return nil, fmt.Errorf("entry %d needs a reason and tests", i+1)
		}
	}
	return list, nil
}

// matches tells whether a name is what a pattern with stars says.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return strings.HasSuffix(name, parts[len(parts)-1])
}
