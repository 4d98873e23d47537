package tenants

import "strings"

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
