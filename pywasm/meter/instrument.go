package meter

import "fmt"

// Version changes whenever Instrument would make different bytes from the
// same module. Builds that cache their results have it in their key.
const Version = 3

// Stats says what the pass found and did.
type Stats struct {
	Functions int      `json:"functions"`   // function bodies
	Loops     int      `json:"loops"`       // loops that got a check
	Bulks     int      `json:"bulks"`       // copies and fills that are made in pieces
	Imports   []string `json:"imports"`     // modules imported from, sorted
	Globals   int      `json:"globals"`     // globals in the result, the fuel among them
	Before    int      `json:"size_before"` // bytes of the module
	After     int      `json:"size_after"`  // bytes of the result
}

// Instrument returns a copy of a module that counts its loop iterations and
// what it copies and fills in bulk, and calls the import wasgi.meter when the
// fuel has gone. The module itself is left as it is. An error says which part
// of the module it is about.
func Instrument(module []byte) ([]byte, Stats, error) {
	out, stats, err := instrument(module)
	if err != nil {
		return nil, Stats{}, fmt.Errorf("meter: %w", err)
	}
	return out, stats, nil
}

func instrument(module []byte) ([]byte, Stats, error) {
	all, err := splitSections(module)
	if err != nil {
		return nil, Stats{}, err
	}
	m, err := decodeInterface(all)
	if err != nil {
		return nil, Stats{}, err
	}
	if err := m.check(); err != nil {
		return nil, Stats{}, err
	}
	stats := Stats{Imports: m.modules, Globals: len(m.globals) + 1, Before: len(module)}
	all, fuel, err := addFuel(all, m)
	if err != nil {
		return nil, Stats{}, err
	}
	if code := find(all, secCode); code != nil {
		if all, err = meterCode(all, m, code, fuel, &stats); err != nil {
			return nil, Stats{}, err
		}
	}
	out := join(all)
	stats.After = len(out)
	return out, stats, nil
}

// meterCode replaces the code section.
func meterCode(all []section, m *iface, code []byte, fuel uint32, stats *Stats) ([]section, error) {
	functions, err := m.defines()
	if err != nil {
		return nil, err
	}
	c := checker{fuel: fuel, meter: uint32(m.meter), bulk: m.funcs + uint32(functions)}
	code, found, err := rewriteCode(code, c, functions)
	if err != nil {
		return nil, fmt.Errorf("code section: %w", err)
	}
	stats.Functions, stats.Loops, stats.Bulks = found.Functions, found.Loops, found.Bulks
	all = put(all, secCode, code)
	if found.Bulks == 0 {
		return all, nil
	}
	return addBulk(all, m, c)
}
