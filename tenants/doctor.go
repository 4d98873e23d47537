package tenants

// Diagnosis is what `wasgi doctor` says of one application.
type Diagnosis struct {
	Dir         string
	Manifest    Manifest
	ManifestErr error
	Entry       Entry
	EntryErr    error
	// Inputs are the files that name the dependencies.
	Inputs []string
	// Requirements are those that would be installed.
	Requirements []string
	// RequirementsErr says which lines cannot be taken.
	RequirementsErr error
	// Impossible are packages that cannot work, and what to use instead.
	Impossible []Native
	// Slower are packages that work without their compiled part.
	Slower []string
	// Skipped are requirements that are left out on purpose.
	Skipped []Skipped
	// Outside are links that lead out of the folder (LinksOutside): no trouble for an
	// application that needs nothing behind them.
	Outside []string
}

// OK reports whether nothing stands in the way of serving, as far as can be
// known without installing and importing.
func (d Diagnosis) OK() bool {
	return d.ManifestErr == nil && d.EntryErr == nil && d.RequirementsErr == nil && len(d.Impossible) == 0
}

// Doctor looks at an application without installing or running anything.
// Problems are part of the Diagnosis.
func Doctor(dir string) Diagnosis {
	d := Diagnosis{Dir: dir}
	d.Manifest, d.ManifestErr = LoadManifest(dir)
	if d.ManifestErr == nil {
		d.Entry, d.EntryErr = discover(dir, d.Manifest)
	}
	d.Outside = LinksOutside(dir, d.Manifest.PythonPath)
	needs, err := readRequirements(dir)
	d.RequirementsErr = err
	if needs == nil {
		return d
	}
	d.Inputs, d.Requirements, d.Skipped = needs.files, needs.lines, needs.skipped
	d.Impossible = needs.impossible()
	for _, line := range needs.lines {
		name := requirementName(line)
		if row, known := lookupNative(name); known && row.verdict == fallback {
			d.Slower = append(d.Slower, name)
		}
	}
	return d
}
