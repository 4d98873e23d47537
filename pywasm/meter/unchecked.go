package meter

import "fmt"

// Unchecked returns a copy of a module with the counter that a host looks for
// and without a single check: nobody can stop it. It is what metering is
// measured against, and nothing that should serve. It refuses what Instrument
// refuses, but for code, which it does not read.
func Unchecked(module []byte) ([]byte, error) {
	out, err := unchecked(module)
	if err != nil {
		return nil, fmt.Errorf("meter: %w", err)
	}
	return out, nil
}

func unchecked(module []byte) ([]byte, error) {
	all, err := splitSections(module)
	if err != nil {
		return nil, err
	}
	m, err := decodeInterface(all)
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	all, _, err = addFuel(all, m)
	if err != nil {
		return nil, err
	}
	return join(all), nil
}
