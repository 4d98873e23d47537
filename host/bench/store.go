package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// figure is one raw measurement: a value for each round, or each sample.
type figure struct {
	What        string    `json:"what"`
	Server      string    `json:"server,omitempty"`
	Connections int       `json:"connections,omitempty"`
	Unit        string    `json:"unit,omitempty"`
	Values      []float64 `json:"values"`
}

// section is what one run of one part found.
type section struct {
	Part    string    `json:"part"`
	Made    time.Time `json:"made"`
	Command string    `json:"command"`
	Rounds  int       `json:"rounds"`
	Seconds int       `json:"seconds"`
	Took    float64   `json:"took_seconds"`
	Machine machine   `json:"machine"`
	Figures []figure  `json:"figures"`
	Notes   []string  `json:"notes,omitempty"`
	Faults  []string  `json:"faults,omitempty"`
}

func (b *bench) newSection(p part) *section {
	return &section{
		Part: p.name, Made: time.Now().UTC(), Command: commandLine(os.Args[1:]),
		Rounds: b.opt.rounds, Seconds: b.opt.seconds, Machine: b.describe(),
	}
}

// commandLine is what to type to get the same again.
func commandLine(args []string) string {
	if len(args) == 0 {
		return "make bench"
	}
	return withoutPlaces("make bench ARGS='" + strings.Join(args, " ") + "'")
}

// withoutPlaces shortens the paths of this machine.
func withoutPlaces(text string) string {
	if dir, err := os.Getwd(); err == nil && dir != "/" {
		text = strings.ReplaceAll(text, dir, ".")
	}
	if home, err := os.UserHomeDir(); err == nil && home != "/" {
		text = strings.ReplaceAll(text, home, "~")
	}
	return text
}

func (s *section) end() { s.Took = time.Since(s.Made).Seconds() }

// add appends values to the figure of this name, which is made if need be.
func (s *section) add(f figure, values ...float64) {
	for i, have := range s.Figures {
		if have.What == f.What && have.Server == f.Server && have.Connections == f.Connections {
			s.Figures[i].Values = append(have.Values, values...)
			return
		}
	}
	f.Values = values
	s.Figures = append(s.Figures, f)
}

func (s *section) fault(format string, args ...any) {
	s.Faults = append(s.Faults, withoutPlaces(fmt.Sprintf(format, args...)))
}

func (s *section) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// median of a figure; false if it was not measured.
func (s *section) median(what, server string, connections int) (float64, bool) {
	if s == nil {
		return 0, false
	}
	for _, f := range s.Figures {
		if f.What == what && f.Server == server && f.Connections == connections && len(f.Values) > 0 {
			return median(f.Values), true
		}
	}
	return 0, false
}

// sections are those of one machine, or the newest of all, by part.
type sections map[string]*section

// store is bench.json: of each machine, by its processor, the newest section of each
// part. What one machine reaches another may not.
type store struct {
	path     string
	Machines map[string]sections `json:"machines"`
}

// names are the processors of the machines, in order.
func (s *store) names() []string { return slices.Sorted(maps.Keys(s.Machines)) }

// newest has each part from the machine that ran it last.
func (s *store) newest() sections {
	out := sections{}
	for _, own := range s.Machines {
		for part, n := range own {
			if have := out[part]; have == nil || n.Made.After(have.Made) {
				out[part] = n
			}
		}
	}
	return out
}

// openStore reads what is there. A file in another form is of an older bench:
// its figures cannot be merged and are dropped.
func openStore(dir string) (*store, error) {
	s := &store{path: filepath.Join(dir, "bench.json")}
	text, err := os.ReadFile(s.path)
	if err == nil && (json.Unmarshal(text, s) != nil || s.Machines == nil) {
		fmt.Fprintf(os.Stderr, "bench: %s is of an older form: starting anew\n", s.path)
	}
	if s.Machines == nil {
		s.Machines = map[string]sections{}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return s, os.MkdirAll(dir, 0o755)
	}
	return s, err
}

// keep puts a section in place of the older one of its machine, on disk too. A section without
// figures does not replace one that has some.
func (s *store) keep(n *section) error {
	own := s.Machines[n.Machine.CPU]
	if own == nil {
		own = sections{}
		s.Machines[n.Machine.CPU] = own
	}
	if old := own[n.Part]; old != nil && len(old.Figures) > 0 && len(n.Figures) == 0 {
		return nil
	}
	own[n.Part] = n
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	temp := s.path + ".new"
	if err := os.WriteFile(temp, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(temp, s.path)
}
