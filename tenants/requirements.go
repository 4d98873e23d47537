package tenants

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"
)

// maxIncludes bounds the files that one requirements.txt may pull in.
const maxIncludes = 32

// requirements is what an application asks to be installed, as plain lines
// that hold no option, no address and no path but a wheel of its own.
type requirements struct {
	files       []string  // that were read, relative to the application
	lines       []string  // to install
	constraints []string  // versions to keep to
	wheels      []string  // of the application's own, relative to it
	skipped     []Skipped // left out on purpose
}

// readRequirements reads requirements.txt, else the dependencies of
// pyproject.toml with the versions of uv.lock. Neither file is no error.
//
// The files belong to the tenant and the installer runs on the host, so every
// line is checked: what would choose another index, build from source, or read
// outside the folder never reaches the installer.
func readRequirements(dir string) (*requirements, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	r := &reader{root: root, visited: map[string]bool{}}
	if _, err := root.Stat("requirements.txt"); err == nil {
		r.include("requirements.txt", false)
	} else {
		r.project()
	}
	return &r.requirements, errors.Join(r.faults...)
}

// reader collects requirements and faults.
type reader struct {
	requirements
	root    *os.Root
	visited map[string]bool
	faults  []error
}

func (r *reader) fault(file string, line int, format string, args ...any) {
	r.faults = append(r.faults, &ManifestError{File: r.root.Name() + "/" + file, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (r *reader) skip(requirement, why string) {
	r.skipped = append(r.skipped, Skipped{requirement, why})
}

// include reads a file of requirements, or of constraints.
func (r *reader) include(file string, constraint bool) {
	if r.visited[file] {
		return
	}
	if len(r.visited) == maxIncludes {
		r.fault(file, 0, "more than %d files include each other", maxIncludes)
		return
	}
	r.visited[file] = true
	data, err := readIn(r.root, file)
	if err != nil {
		r.fault(file, 0, "cannot be read: %v", err)
		return
	}
	r.files = append(r.files, file)
	number, pending := 0, ""
	for line := range strings.Lines(string(data)) {
		number++
		line = pending + strings.TrimRight(line, "\r\n")
		if continued, ok := strings.CutSuffix(line, "\\"); ok {
			pending = continued
			continue
		}
		pending = ""
		r.line(file, number, uncomment(line), constraint)
	}
	r.line(file, number, uncomment(pending), constraint)
}

// uncomment takes off a comment, which starts the line or follows a space.
func uncomment(line string) string {
	line = strings.ReplaceAll(line, "\t", " ")
	if i := strings.Index(" "+line, " #"); i >= 0 {
		line = line[:i]
	}
	return strings.TrimSpace(line)
}

// line takes in one logical line of a requirements file.
func (r *reader) line(file string, number int, line string, constraint bool) {
	if line == "" {
		return
	}
	if line[0] == '-' {
		r.option(file, number, line)
		return
	}
	if own, ok := ownPath(line); ok {
		r.own(file, number, own)
		return
	}
	if err := r.requirement(line, constraint); err != nil {
		r.fault(file, number, "%v", err)
	}
}

// option obeys -r and -c, passes over what the host's configuration decides,
// and refuses the rest.
func (r *reader) option(file string, number int, line string) {
	name, value, _ := strings.Cut(strings.Replace(line, "=", " ", 1), " ")
	if len(name) > 2 && name[1] != '-' {
		name, value = name[:2], name[2:]+value
	}
	value = strings.TrimSpace(value)
	switch name {
	case "-r", "--requirement", "-c", "--constraint":
		r.include(path.Join(path.Dir(file), value), name == "-c" || name == "--constraint")
	case "-e", "--editable":
		own, ok := ownPath(value)
		if !ok {
			own = value
		}
		r.own(file, number, own)
	case "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index", "--trusted-host":
		r.skip(name, "the index comes from the machine's pip or uv configuration")
	case "--pre":
		r.skip(name, "finished versions are installed; name a pre-release exactly to have it")
	case "--prefer-binary", "--only-binary", "--no-binary", "--require-hashes", "--use-feature":
		r.skip(name, "wheels are always wanted, and nothing else is installed")
	default:
		r.fault(file, number, "option %s is not understood; leave it out", name)
	}
}

// ownPath recognises a path of the application's folder.
func ownPath(line string) (string, bool) {
	line, _, _ = strings.Cut(line, "[")
	line = strings.TrimPrefix(line, "file:")
	own := line == "." || strings.HasPrefix(line, "./") || strings.HasPrefix(line, "../") || strings.HasPrefix(line, "/") ||
		strings.HasSuffix(line, ".whl") && !strings.Contains(line, "@")
	return line, own
}

// own takes in a path: the application itself needs no installing, a wheel is
// installed, and everything else would have to be built.
func (r *reader) own(file string, number int, own string) {
	clean := path.Join(path.Dir(file), own)
	switch info, err := r.root.Stat(clean); {
	case clean == ".":
		r.skip(own, "the application's own folder is on sys.path")
	case regexp.MustCompile(`^[A-Za-z0-9._+!/-]*\.whl$`).MatchString(clean) && err == nil && info.Mode().IsRegular():
		r.wheels = append(r.wheels, clean)
	case err == nil && info.IsDir():
		r.fault(file, number, "%s would have to be built, and only wheels are installed; "+
			"add the folder to python_path in %s, or put a wheel there", own, ManifestFile)
	default:
		r.fault(file, number, "%s is no file of the application and no requirement; only wheels are installed", own)
	}
}

// plainRequirement is a requirement without an address: name, extras, versions,
// marker, and hashes. What it lets through reaches the installer: no option but
// --hash, no path, no address, no variable. Compiled at each use: a release is
// read once in a while.
const plainRequirement = `^[A-Za-z0-9][A-Za-z0-9._-]*(\s*\[[A-Za-z0-9._,\s-]*\])?\s*` +
	`(\(?\s*(===|==|~=|!=|<=|>=|<|>)[A-Za-z0-9._*+!,<>=~()\s-]*)?(;[A-Za-z0-9._*+!,<>=~()'"\s-]*)?$`

// isPlain checks a requirement's form.
func isPlain(line string) bool {
	line = regexp.MustCompile(`\s+--hash[= ][a-z0-9]+:[0-9a-f]+`).ReplaceAllString(line, "")
	return regexp.MustCompile(plainRequirement).MatchString(line) && !regexp.MustCompile(`\s-`).MatchString(line)
}

// endsLine reports whether some reader of requirements takes a character for the
// end of a line: Python's str.splitlines knows a dozen of them.
func endsLine(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' }

// requirement takes in one requirement after checking its form.
func (r *reader) requirement(line string, constraint bool) error {
	if strings.ContainsFunc(line, endsLine) {
		return fmt.Errorf("%q has a control character or a line separator, behind which an installer would read another line: remove it", line)
	}
	if !isPlain(line) {
		if strings.ContainsAny(line, "@/") {
			return fmt.Errorf("%q names an address; only wheels from the index, by name, or a wheel in the application's folder are installed", line)
		}
		return fmt.Errorf("%q is no requirement; write it like \"flask>=3\"", line)
	}
	if constraint {
		r.constraints = append(r.constraints, line)
		return nil
	}
	row, known := lookupNative(requirementName(line))
	if known && (row.verdict == server || row.verdict == optional) {
		r.skip(line, row.advice)
		return nil
	}
	r.lines = append(r.lines, line)
	return nil
}

// project reads pyproject.toml and uv.lock.
func (r *reader) project() {
	data, err := readIn(r.root, "pyproject.toml")
	if errors.Is(err, fs.ErrNotExist) {
		r.strangers()
		return
	}
	var project struct {
		Project struct {
			Dependencies []string `toml:"dependencies"`
		} `toml:"project"`
	}
	if err == nil {
		err = toml.Unmarshal(data, &project)
	}
	if err != nil {
		r.fault("pyproject.toml", 0, "cannot be read: %v", err)
		return
	}
	if len(project.Project.Dependencies) == 0 {
		r.strangers()
		return
	}
	r.files = append(r.files, "pyproject.toml")
	for _, d := range project.Project.Dependencies {
		if err := r.requirement(strings.TrimSpace(d), false); err != nil {
			r.fault("pyproject.toml", 0, "project.dependencies: %v", err)
		}
	}
	r.lock()
}

// lock turns uv.lock into constraints. A package that is locked to several
// versions, by marker, is left to the installer.
func (r *reader) lock() {
	data, err := readIn(r.root, "uv.lock")
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var lock struct {
		Package []struct {
			Name    string         `toml:"name"`
			Version string         `toml:"version"`
			Source  map[string]any `toml:"source"`
		} `toml:"package"`
	}
	if err == nil {
		err = toml.Unmarshal(data, &lock)
	}
	if err != nil {
		r.fault("uv.lock", 0, "cannot be read: %v", err)
		return
	}
	r.files = append(r.files, "uv.lock")
	versions := map[string][]string{}
	for _, p := range lock.Package {
		if _, ok := p.Source["registry"]; ok {
			versions[p.Name] = append(versions[p.Name], p.Version)
		}
	}
	for name, v := range versions {
		if len(v) != 1 {
			continue
		}
		if err := r.requirement(name+"=="+v[0], true); err != nil {
			r.fault("uv.lock", 0, "%v", err)
		}
	}
	slices.Sort(r.constraints)
}

// strangers mentions files of other tools, which are not read.
func (r *reader) strangers() {
	for _, name := range []string{"Pipfile", "poetry.lock", "pdm.lock", "environment.yml", "setup.py", "setup.cfg"} {
		if _, err := r.root.Stat(name); err == nil {
			r.skip(name, "not read; write the dependencies to requirements.txt")
		}
	}
}

// impossible lists the requirements that are known not to work. One with a
// marker is judged after installing, which evaluates it.
func (r *requirements) impossible() []Native {
	var out []Native
	for _, line := range r.lines {
		name := requirementName(line)
		row, known := lookupNative(name)
		if known && row.verdict == impossible && !strings.Contains(line, ";") {
			out = append(out, Native{Name: name, Advice: row.advice})
		}
	}
	return out
}

// requirementName is the normalised name at the start of a requirement line.
func requirementName(line string) string {
	line = strings.TrimSpace(line)
	end := strings.IndexFunc(line, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r >= 0x80 || !identifier("_"+string(r)))
	})
	if end >= 0 {
		line = line[:end]
	}
	return normalizeName(line)
}

// normalizeName makes names of distributions comparable (PEP 503).
func normalizeName(name string) string {
	fields := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	return strings.Join(fields, "-")
}
