package pywasm

// A Manifest says what a guest was made of, and what came out.
type Manifest struct {
	Format    int               `json:"format"`
	Python    string            `json:"python"`    // version of CPython
	Release   string            `json:"release"`   // Debian release of the sources
	Outputs   []File            `json:"outputs"`   // without the manifest itself
	Functions int               `json:"functions"` // of the module
	Loops     int               `json:"loops"`     // that the metering pass found
	Tools     map[string]string `json:"tools"`     // package and version of each compiler
	Sources   []Source          `json:"sources"`
	Recipes   map[string]string `json:"recipes"` // scripts with the flags that matter
}

// A Source is something that the guest was made from.
type Source struct {
	Name    string `json:"name"`
	Version string `json:"version"` // with Debian's revision
	Licence string `json:"licence"` // SPDX expression
	Files   []File `json:"files"`
}

// A File is a file that was read or made.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Pinned bool   `json:"pinned,omitempty"` // its digest stands in the build's table
}

// Digest returns the SHA-256 of an output, or "".
func (m Manifest) Digest(name string) string {
	for _, f := range m.Outputs {
		if f.Name == name {
			return f.SHA256
		}
	}
	return ""
}
