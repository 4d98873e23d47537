package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wasgi/wasgi/host/admin/api"
)

// frame is one table of `wasgi top`.
type frame struct {
	at   time.Time
	all  []api.Status
	rows [][]string // the first is the head
}

// summary is the line above the table.
func (f frame) summary() string {
	busy, memory := 0, uint64(0)
	for _, s := range f.all {
		busy += s.Busy
		memory += s.Memory
	}
	return fmt.Sprintf("%s  %d tenants, %d busy instances, %s", f.at.Format("15:04:05"), len(f.all), busy, size(memory))
}

// print writes everything.
func (f frame) print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s\n\n", f.summary()); err != nil {
		return err
	}
	return table(w, f.rows...)
}

// draw fills a terminal's screen: what does not fit is left out, the least
// important columns first, and the last line says how many tenants are missing.
func (f frame) draw(w io.Writer, width, height int) error {
	var page bytes.Buffer
	fmt.Fprintf(&page, "%s\n\n", f.summary())
	rows, missing := f.rows, 0
	if most := max(height-3, 1); len(f.all) > most {
		missing = len(f.all) - (most - 1)
		rows = rows[:most]
	}
	if len(f.all) == 0 {
		fmt.Fprintln(&page, "No tenant yet: run `wasgi deploy DIR`.")
	} else if err := table(&page, fit(rows, width-1)...); err != nil {
		return err
	}
	if missing > 0 {
		fmt.Fprintf(&page, "… %d more\n", missing)
	}
	lines := strings.Split(strings.TrimRight(page.String(), "\n"), "\n")
	lines = lines[:min(len(lines), max(height, 1))]
	for i, line := range lines {
		// A line that fills the last column would lose it to the erasing behind it.
		seen := []rune(line)[:min(utf8.RuneCountInString(line), max(width-1, 0))]
		lines[i] = strings.TrimRight(string(seen), " ")
	}
	_, err := fmt.Fprint(w, "\x1b[H"+strings.Join(lines, "\x1b[K\r\n")+"\x1b[J")
	return err
}

// maxName is how much of a name stays where the screen is narrow.
const maxName = 20

// fit makes a table narrower. Rows are not changed, but copied.
func fit(rows [][]string, width int) [][]string {
	out := slices.Clone(rows)
	for i := range out {
		out[i] = slices.Clone(out[i])
	}
	for _, head := range []string{"LAST REQUEST", "", "MAKING", "WAITING", "IDLE", "STATE", "BUSY"} {
		if widthOf(out) <= width {
			break
		}
		at := slices.Index(out[0], head)
		for i := range out {
			if head == "" {
				out[i][0] = shorter(out[i][0], maxName)
			} else if at >= 0 {
				out[i] = slices.Delete(out[i], at, at+1)
			}
		}
	}
	return out
}

// widthOf is how many columns of the screen table takes.
func widthOf(rows [][]string) int {
	total := -2 // nothing is behind the last column
	for i := range rows[0] {
		widest := 0
		for _, row := range rows {
			widest = max(widest, utf8.RuneCountInString(row[i]))
		}
		total += widest + 2
	}
	return total
}

// shorter leaves out the middle of a name: both ends tell names apart.
func shorter(name string, most int) string {
	c := []rune(name)
	if len(c) <= most {
		return name
	}
	half := (most - 1) / 2
	return string(c[:most-1-half]) + "…" + string(c[len(c)-half:])
}
