package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An aptSource is one entry of apt's configuration: packages of some suites
// from some places.
type aptSource struct {
	types, uris, suites, components []string
	disabled                        bool
}

// machineMirror returns the address from which a machine gets the main part
// of its own Debian release. The folder is /etc, but for tests.
func machineMirror(etc string) (string, error) {
	codename, err := osField(filepath.Join(etc, "os-release"), "VERSION_CODENAME")
	if err != nil {
		return "", err
	}
	sources, err := aptSources(filepath.Join(etc, "apt"))
	if err != nil {
		return "", err
	}
	if uri := mirrorOf(sources, codename); uri != "" {
		return uri, nil
	}
	return "", fmt.Errorf("apt's configuration in %s names no mirror for %s main: add one, as on a fresh Debian", filepath.Join(etc, "apt"), codename)
}

// mirrorOf returns the first address for the main part of a release.
func mirrorOf(sources []aptSource, codename string) string {
	for _, s := range sources {
		if !s.disabled && len(s.uris) > 0 && slices.Contains(s.types, "deb") &&
			slices.Contains(s.suites, codename) && slices.Contains(s.components, "main") {
			return s.uris[0]
		}
	}
	return ""
}

// aptSources reads sources.list and sources.list.d.
func aptSources(dir string) ([]aptSource, error) {
	files := []string{filepath.Join(dir, "sources.list")}
	for _, pattern := range []string{"*.list", "*.sources"} {
		more, err := filepath.Glob(filepath.Join(dir, "sources.list.d", pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	var out []aptSource
	for _, f := range files {
		text, err := os.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(f, ".sources") {
			out = append(out, parseDeb822(string(text))...)
		} else {
			out = append(out, parseOneLine(string(text))...)
		}
	}
	return out, nil
}

// parseOneLine reads entries of the form "deb [options] URI suite component…".
func parseOneLine(text string) []aptSource {
	var out []aptSource
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if before, rest, ok := strings.Cut(line, "["); ok {
			_, after, _ := strings.Cut(rest, "]")
			line = before + after
		}
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		out = append(out, aptSource{types: f[:1], uris: f[1:2], suites: f[2:3], components: f[3:]})
	}
	return out
}

// parseDeb822 reads entries that are paragraphs of fields.
func parseDeb822(text string) []aptSource {
	var out []aptSource
	for _, paragraph := range strings.Split(text, "\n\n") {
		f := deb822Fields(paragraph)
		s := aptSource{types: f["types"], uris: f["uris"], suites: f["suites"], components: f["components"]}
		s.disabled = slices.Contains(f["enabled"], "no")
		if len(s.types) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// deb822Fields splits a paragraph into lower-case names and lists of words.
func deb822Fields(paragraph string) map[string][]string {
	fields := map[string][]string{}
	last := ""
	for line := range strings.Lines(paragraph) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		value := line
		if name, rest, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
			last, value = strings.ToLower(name), rest
		}
		if last != "" {
			fields[last] = append(fields[last], strings.Fields(value)...)
		}
	}
	return fields
}

// osField returns a field of an os-release file.
func osField(path, name string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if k, v, _ := strings.Cut(lines.Text(), "="); k == name {
			return strings.Trim(v, `"'`), nil
		}
	}
	return "", errors.Join(lines.Err(), fmt.Errorf("%s has no %s", path, name))
}
