package tenants

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// maxTextFile bounds every text file of a tenant that this package reads.
const maxTextFile = 4 << 20

// ManifestError is something wrong in a manifest, where it is and what to do.
type ManifestError struct {
	File string // as the operator would open it
	Line int    // from 1; 0 when it is the whole file
	Key  string // dotted, "" when there is none
	Text string // what is wrong and what to do
}

// Error is "file:line: key: text".
func (e *ManifestError) Error() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	if e.Key != "" {
		s += ": " + e.Key
	}
	return s + ": " + e.Text
}

// LoadManifest reads the manifest of the application in dir over Defaults. No
// manifest is no error. Errors are *ManifestError, joined when there are many,
// or those of reading the file.
func LoadManifest(dir string) (Manifest, error) { return LoadManifestWith(dir, Defaults()) }

// LoadManifestWith is LoadManifest over the defaults of a host.
func LoadManifestWith(dir string, defaults Manifest) (Manifest, error) {
	m := defaults.clone()
	last := manifestText{file: filepath.Join(dir, ManifestFile)}
	for _, source := range []struct {
		file  string
		table []string
	}{{"pyproject.toml", []string{"tool", "wasgi"}}, {ManifestFile, nil}} {
		data, err := readText(dir, source.file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Manifest{}, err
		}
		file := filepath.Join(dir, source.file)
		before := len(m.Files)
		if err := decodeManifest(file, data, source.table, &m); err != nil {
			return Manifest{}, err
		}
		if len(m.Files) > before {
			last = manifestText{file, data, source.table}
		}
	}
	if err := m.check(last); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

// LoadFile reads the application that a manifest beside the applications' folders
// names (Manifest.Folder) and calls it name. The manifest's keys stand over those
// of the application's own. Errors are those of Load.
func LoadFile(file, name string, defaults Manifest) (Tenant, error) {
	dir, base := filepath.Split(file)
	data, err := readText(dir, base)
	if err != nil {
		return Tenant{}, err
	}
	var first Manifest
	if err := decodeTable(file, data, nil, &first); err != nil {
		return Tenant{}, err
	}
	in := &checker{in: manifestText{file: file, data: data}}
	if first.Folder == "" {
		in.fault("folder", "name the folder of the application: folder = \"/srv/"+name+"\"")
		return Tenant{}, errors.Join(in.faults...)
	}
	folder := first.Folder
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(dir, folder)
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		in.fault("folder", fmt.Sprintf("%s is no folder", folder))
		return Tenant{}, errors.Join(in.faults...)
	}
	m, err := LoadManifestWith(folder, defaults)
	if err != nil {
		return Tenant{}, err
	}
	if err := decodeTable(file, data, nil, &m); err != nil {
		return Tenant{}, err
	}
	m.Folder = ""
	if err := m.check(in.in); err != nil {
		return Tenant{}, err
	}
	m.Files = append(m.Files, base)
	return loaded(folder, name, m)
}

// decodeManifest reads one file over m. The table is where the keys stand, nil
// for the whole file.
func decodeManifest(file string, data []byte, table []string, m *Manifest) error {
	if table == nil {
		if err := decodeTable(file, data, nil, m); err != nil {
			return err
		}
		m.Files = append(m.Files, filepath.Base(file))
		return nil
	}
	if !hasTable(data, table) {
		return nil
	}
	var project struct {
		Tool struct {
			Wasgi *Manifest `toml:"wasgi"`
		} `toml:"tool"`
	}
	project.Tool.Wasgi = m
	if err := decodeTable(file, data, table, &project); err != nil {
		return err
	}
	m.Files = append(m.Files, filepath.Base(file))
	return nil
}

// hasTable reports whether a TOML text has the table. A text that is no TOML
// has it, so that the strict decoder describes the fault.
func hasTable(data []byte, table []string) bool {
	var tree map[string]any
	if toml.Unmarshal(data, &tree) != nil {
		return true
	}
	for _, key := range table {
		next, ok := tree[key].(map[string]any)
		if !ok {
			return false
		}
		tree = next
	}
	return true
}

// decodeTable decodes strictly and says where a fault is.
func decodeTable(file string, data []byte, table []string, into any) error {
	if key := wrongSpan(data, table); key != "" {
		line := lineOf(data, strings.Join(append(slices.Clone(table), key), "."))
		return &ManifestError{file, line, key, "must be " + kindOf(key)}
	}
	err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(into)
	return locate(file, table, err)
}

// locate turns the decoder's error into ours; unknown keys outside table are
// somebody else's and no error.
func locate(file string, table []string, err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var all []error
		for i := range unknown.Errors {
			if e := unknownKey(file, table, &unknown.Errors[i]); e != nil {
				all = append(all, e)
			}
		}
		return errors.Join(all...)
	}
	var broken *toml.DecodeError
	if errors.As(err, &broken) {
		line, _ := broken.Position()
		own := broken.Key()
		key := strings.Join(own[min(len(table), len(own)):], ".")
		text := strings.TrimPrefix(broken.Error(), "toml: ")
		if kind := kindOf(key); kind != "" && strings.HasPrefix(text, "cannot ") {
			text = "must be " + kind
		}
		return &ManifestError{file, line, key, text}
	}
	if err != nil {
		return &ManifestError{file, 0, "", err.Error()}
	}
	return nil
}

// unknownKey describes a key that no field has, with the nearest one that exists.
func unknownKey(file string, table []string, e *toml.DecodeError) error {
	key := []string(e.Key())
	if len(key) < len(table) || !slices.Equal(key[:len(table)], table) {
		return nil
	}
	line, _ := e.Position()
	own := strings.Join(key[len(table):], ".")
	text := "unknown key"
	if near := closest(own, manifestKeys()); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return &ManifestError{file, line, own, text}
}

// readText reads a file of a tenant without following a link out of dir.
func readText(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return readIn(root, name)
}

// readIn is readText for a folder that is open already.
func readIn(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(root.Name(), name)
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file: %w", file, fs.ErrNotExist)
	}
	if info.Size() > maxTextFile {
		return nil, fmt.Errorf("%s: %d bytes; more than %d are not read", file, info.Size(), maxTextFile)
	}
	return root.ReadFile(name)
}
