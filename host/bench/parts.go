package main

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// part is what can be measured, and kept, by itself.
type part struct {
	name, title string
	// run adds figures and faults to the section.
	run func(context.Context, *bench, *section) error
	// show writes the section's tables.
	show func(io.Writer, *section)
}

// parts are all, in the order of the report.
func parts() []part {
	var out []part
	for _, a := range loadApps() {
		out = append(out, part{a.name, a.title, loadPart(a), loadTables(baseline)})
	}
	return append(out,
		part{"cgi", "`fresh` against CGI with native Python, bare WSGI", cgiPart(helloApp("bare", "")), loadTables(cgiServer)},
		part{"cgi-flask", "`fresh` against CGI with native Python, Flask", cgiPart(helloApp("flask", "")), loadTables(cgiServer)},
		part{"database", "A query to PostgreSQL (Flask, pg8000)", databasePart, loadTables(baseline)},
		part{"cores", "One core and two", coresPart, listTable},
		part{"cold", "Host start to first byte", coldPart, listTable},
		part{"deploy", "Deploy to serving", deployPart, listTable},
		part{"instances", "Instances, without HTTP", instancesPart, listTable},
		part{"tenants", "Many tenants, one request each in random order", tenantsPart, listTable},
		part{"idle", "Idle tenants", idlePart, listTable},
		part{"meter", "What metering costs", meterPart, listTable},
		part{"python", "The interpreter: pyperformance's files", pythonPart, pythonTable},
	)
}

func chosenParts(only []string) []part {
	all := parts()
	if len(only) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(p part) bool { return !slices.Contains(only, p.name) })
}

func list(w io.Writer) error {
	for _, p := range parts() {
		if _, err := fmt.Fprintf(w, "%-10s %s\n", p.name, p.title); err != nil {
			return err
		}
	}
	return nil
}
