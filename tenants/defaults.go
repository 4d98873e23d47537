package tenants

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// DefaultsFile is the name of a manifest in the folder of all applications whose
// keys hold for each of them, unless its own manifest says otherwise.
const DefaultsFile = "_defaults.toml"

// IsManifest says whether a file may be a manifest that operators touch to have an
// application loaded again.
func IsManifest(path string) bool { return filepath.Ext(path) == ".toml" }

// LoadDefaults reads the DefaultsFile in root over the defaults of a host. None
// is no error. What is one application's own, its entry and addresses, cannot
// stand there. Errors are those of LoadManifest.
func LoadDefaults(root string, defaults Manifest) (Manifest, error) {
	data, err := readText(root, DefaultsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return defaults, nil
	}
	if err != nil {
		return Manifest{}, err
	}
	m := defaults.clone()
	in := manifestText{file: filepath.Join(root, DefaultsFile), data: data}
	if err := decodeTable(in.file, data, nil, &m); err != nil {
		return Manifest{}, err
	}
	if err := m.check(in); err != nil {
		return Manifest{}, err
	}
	c := &checker{in: in}
	for key, there := range map[string]bool{"entry": m.Entry != "", "hosts": len(m.Hosts) > 0, "paths": len(m.Paths) > 0} {
		if there {
			c.fault(key, "is one application's own: write it into the application's wasgi.toml")
		}
	}
	return m, errors.Join(c.faults...)
}
