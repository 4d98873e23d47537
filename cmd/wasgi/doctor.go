package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/tenants"
)

func newDoctor() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor [DIR]",
		Short: "Say what would be served from a folder, and what cannot work",
		Long: `Reads the application in DIR (default: the current folder) without installing
or running anything, and says which callable would be served and why, which
dependencies it has, and which of them cannot work in the sandbox and what to
use instead, and which links lead out of the folder. Exits 1 when something stands in the way.`,
		Example: `  wasgi doctor ./myapp
  wasgi doctor --json ./myapp | jq .entry`,
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			d := tenants.Doctor(dir)
			report := diagnose(d)
			if err := printReport(c.OutOrStdout(), report, asJSON); err != nil {
				return err
			}
			if !d.OK() {
				return exitStatus(1)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// report is what `wasgi doctor --json` prints.
type report struct {
	Dir          string            `json:"dir"`
	OK           bool              `json:"ok"`
	Entry        string            `json:"entry,omitempty"`
	Why          string            `json:"why,omitempty"`
	Framework    string            `json:"framework,omitempty"`
	Isolation    string            `json:"isolation,omitempty"`
	Manifest     []string          `json:"manifest,omitempty"`
	Inputs       []string          `json:"inputs,omitempty"`
	Requirements []string          `json:"requirements,omitempty"`
	Impossible   []impossible      `json:"impossible,omitempty"`
	Slower       []string          `json:"slower,omitempty"`
	Skipped      []tenants.Skipped `json:"skipped,omitempty"`
	Outside      []string          `json:"outside,omitempty"`
	Hint         string            `json:"hint,omitempty"`
	Errors       []string          `json:"errors,omitempty"`
}

// impossible is a package that cannot work.
type impossible struct {
	Name   string `json:"name"`
	Advice string `json:"advice,omitempty"`
}

func diagnose(d tenants.Diagnosis) report {
	r := report{
		Dir: d.Dir, OK: d.OK(), Manifest: d.Manifest.Files, Inputs: d.Inputs,
		Requirements: d.Requirements, Slower: d.Slower, Skipped: d.Skipped, Outside: d.Outside,
		Isolation: string(d.Manifest.Isolation), Hint: d.Manifest.Hint(),
	}
	if d.EntryErr == nil {
		r.Entry, r.Why, r.Framework = d.Entry.String(), d.Entry.Why, d.Entry.Framework
	}
	for _, n := range d.Impossible {
		r.Impossible = append(r.Impossible, impossible{n.Name, n.Advice})
	}
	for _, err := range []error{d.ManifestErr, d.EntryErr, d.RequirementsErr} {
		if err != nil {
			r.Errors = append(r.Errors, err.Error())
		}
	}
	return r
}

func printReport(w io.Writer, r report, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	_, err := io.WriteString(w, r.String())
	return err
}

// String is the report in words, a line for each finding.
func (r report) String() string {
	var b strings.Builder
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-14s %s\n", label, text)
		}
	}
	line("application", r.Dir)
	line("manifest", strings.Join(r.Manifest, ", "))
	line("entry", r.Entry)
	line("why", r.Why)
	line("framework", r.Framework)
	line("isolation", r.Isolation)
	line("hint", r.Hint)
	line("requirements", strings.Join(r.Inputs, ", "))
	for _, req := range r.Requirements {
		line("  requires", req)
	}
	for _, s := range r.Slower {
		line("slower", s+": works without its compiled part")
	}
	for _, s := range r.Skipped {
		line("left out", s.Requirement+": "+s.Why)
	}
	for _, link := range r.Outside {
		line("outside", link+": the application sees nothing there")
	}
	for _, n := range r.Impossible {
		line("cannot work", strings.TrimSuffix(n.Name+": "+n.Advice, ": "))
	}
	for _, e := range r.Errors {
		line("error", e)
	}
	if r.OK {
		line("verdict", "ready to be served")
	} else {
		line("verdict", "cannot be served as it is")
	}
	return b.String()
}
