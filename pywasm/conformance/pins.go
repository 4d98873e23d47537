package main

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed pins/*.txt
var pinFiles embed.FS

// A pin is one line of pins/*.txt.
type pin struct {
	name, version, sha256 string
	sdist                 bool
}

// requirement is the pin as pip wants it.
func (p pin) requirement() string {
	return fmt.Sprintf("%s==%s --hash=sha256:%s", p.name, p.version, p.sha256)
}

// parsePins reads lines of NAME==VERSION --hash=sha256:DIGEST.
func parsePins(text string, sdist bool) ([]pin, error) {
	var out []pin
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		spec, hash, _ := strings.Cut(line, " --hash=sha256:")
		name, version, ok := strings.Cut(spec, "==")
		if !ok || len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" {
			return nil, fmt.Errorf("line %d: %q is not NAME==VERSION --hash=sha256:DIGEST", i+1, line)
		}
		out = append(out, pin{name, version, hash, sdist})
	}
	return out, nil
}

// pinsOf returns the pins with these names, in their order.
func pinsOf(file string, names []string) ([]pin, error) {
	text, err := pinFiles.ReadFile("pins/" + file)
	if err != nil {
		return nil, err
	}
	all, err := parsePins(string(text), file == "sdists.txt")
	if err != nil {
		return nil, fmt.Errorf("pins/%s: %w", file, err)
	}
	var out []pin
	for _, name := range names {
		p, ok := pinNamed(all, name)
		if !ok {
			return nil, fmt.Errorf("pins/%s has no %s", file, name)
		}
		out = append(out, p)
	}
	return out, nil
}

func pinNamed(all []pin, name string) (pin, bool) {
	for _, p := range all {
		if p.name == name {
			return p, true
		}
	}
	return pin{}, false
}
