package tenants

// Release is a prepared set of dependencies. It is immutable: other inputs
// make another folder.
type Release struct {
	// Tenant that it was made for.
	Tenant string `json:"tenant"`
	// Digest of everything that went in, in hexadecimal; the folder's name.
	Digest string `json:"digest"`
	// Dir is <state>/releases/<tenant>/<digest>.
	Dir string `json:"-"`
	// Site is the folder for sys.path, after the application's own.
	Site string `json:"-"`
	// Reused means that the folder was there before.
	Reused bool `json:"-"`
	// Inputs are the files that name the dependencies, relative to the application.
	Inputs []string `json:"inputs"`
	// Requirements is what was asked for, one requirement a line.
	Requirements []string `json:"requirements"`
	// Packages that are in Site.
	Packages []Package `json:"packages"`
	// Stripped lists native files that were removed; the package works
	// without them, more slowly.
	Stripped []Stripped `json:"stripped,omitempty"`
	// Skipped lists requirements and packages that were left out on purpose.
	Skipped []Skipped `json:"skipped,omitempty"`
	// Installer is "uv 0.9.1", "pip 25.3" or "" when nothing was to be installed.
	Installer string `json:"installer,omitempty"`
}

// Package is an installed distribution.
type Package struct {
	Name    string `json:"name"` // normalised: lower case, "-"
	Version string `json:"version"`
}

// Stripped is one native file that was removed from a release.
type Stripped struct {
	Package string `json:"package"`
	File    string `json:"file"` // relative to Site
}

// Skipped is a requirement that was not installed, and why that is right.
type Skipped struct {
	Requirement string `json:"requirement"`
	Why         string `json:"why"`
}
