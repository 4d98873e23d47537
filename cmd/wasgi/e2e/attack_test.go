package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// attackRow is one attack of the catalogue against the running binary. A row of
// the catalogue may have several, with the same number.
type attackRow struct {
	id   int
	name string // of the attack, in few words; the name of its test
	safe string // what is seen when it does no harm
	// long rows run with WASGI_ATTACK=1 only, as `make attack` does.
	long bool
	run  func(*siege)
	// why the row does not apply; then there is no run.
	why string
}

// attackRows is the whole catalogue.
func attackRows() []attackRow {
	rows := slices.Concat(
		attacksOnTime(),
		attacksOnMemory(),
		attacksOnFairness(),
		attacksOnFiles(),
		attacksOnState(),
		attacksOnLogs(),
		attacksOnReleases(),
		attacksOnResponses(),
		attacksOnHTTP(),
		attacksOnTLS(),
		attacksOnTheFront(),
	)
	slices.SortStableFunc(rows, func(a, b attackRow) int { return a.id - b.id })
	return rows
}

// TestAttack makes every attack of the catalogue while a neighbour on the same
// host is asked for its page over and over. With WASGI_ATTACK=1 the long ones
// are made too, and a table of what happened is printed.
func TestAttack(t *testing.T) {
	report := newAttackReport()
	t.Run("rows", func(t *testing.T) {
		for _, row := range attackRows() {
			t.Run(fmt.Sprintf("%02d-%s", row.id, strings.ReplaceAll(row.name, " ", "-")), func(t *testing.T) {
				report.add(row, row.against(t))
			})
		}
	})
	if allAttacks() {
		report.print(os.Stdout)
	}
}

// TestCatalogueIsWhole: every row is attacked or says why it does not apply.
func TestCatalogueIsWhole(t *testing.T) {
	rows := map[int]bool{}
	for _, row := range attackRows() {
		rows[row.id] = true
		if (row.run == nil) == (row.why == "") {
			t.Errorf("row %d, %s: want an attack or a reason, and not both", row.id, row.name)
		}
	}
	for id := 1; id <= catalogue; id++ {
		if !rows[id] {
			t.Errorf("row %d is missing", id)
		}
	}
}

// catalogue is the number of its rows.
const catalogue = 88

// allAttacks says whether the long rows are wanted.
func allAttacks() bool { return os.Getenv("WASGI_ATTACK") != "" }

// against makes the attack. It runs beside others only where nobody measures.
func (row attackRow) against(t *testing.T) *siege {
	g := &siege{T: t, world: newWorld(t), root: t.TempDir()}
	switch {
	case row.run == nil:
		t.Skip("does not apply: " + row.why)
	case row.long && !allAttacks():
		t.Skip("long: make attack runs it")
	}
	// Before the test's context ends, which the visits live in.
	defer func() {
		if g.neighbour != nil {
			g.neighbour.leave()
		}
	}()
	begun := time.Now()
	row.run(g)
	g.took = time.Since(begun)
	return g
}

// siege is one attack: a host with hostile tenants and a neighbour.
type siege struct {
	*testing.T
	world     world
	root      string // of the tenants
	names     []string
	server    *server
	neighbour *neighbour
	took      time.Duration
	notes     []string
}

// note adds a measured figure to the table.
func (g *siege) note(format string, args ...any) {
	g.notes = append(g.notes, fmt.Sprintf(format, args...))
}

// tenant adds a copy of testdata/apps/APP with this manifest.
func (g *siege) tenant(name, app, manifest string) string {
	g.Helper()
	folder := filepath.Join(g.root, name)
	copyTree(g.T, filepath.Join("testdata", "apps", app), folder)
	if manifest != "" {
		write(g.T, folder, "wasgi.toml", manifest)
	}
	g.names = append(g.names, name)
	return folder
}

// hostile adds a tenant that runs the Python code it is sent.
func (g *siege) hostile(name, manifest string) string {
	g.Helper()
	return g.tenant(name, "hostile", manifest)
}

// serve starts the host with all tenants and the neighbour, which is asked for
// its page from now on until the attack is over. Any answer but the right one
// fails the test. Who stops the server in an attack lets the neighbour leave
// first.
func (g *siege) serve(flags ...string) *server {
	g.Helper()
	return g.launch(launch{flags: flags})
}

// launch is serve with more to choose from; the root is the siege's.
func (g *siege) launch(l launch) *server {
	g.Helper()
	l.root = g.root
	copyTree(g.T, filepath.Join("testdata", "apps", "neighbour"), filepath.Join(g.root, "neighbour"))
	s := g.world.serve(g.T, l, append([]string{"neighbour"}, g.names...)...)
	g.server = s
	g.neighbour = visit(s.site(g.T, "neighbour").browser(g.T))
	return s
}

// attack sends code to a hostile tenant and reads the answer.
func (s site) attack(t *testing.T, code string) answer {
	t.Helper()
	return s.browser(t).send("POST", "/", body("text/x-python", code))
}

// well asks the tenant whether it still serves.
func (s site) well(t *testing.T) {
	t.Helper()
	s.browser(t).get("/").status(200).text("well\n")
}

// recovers asks the tenant again while it is told to come back later.
func (s site) recovers(t *testing.T) {
	t.Helper()
	b := s.browser(t)
	for give := time.Now().Add(patience); time.Now().Before(give); {
		if a := b.get("/"); a.resp.StatusCode != http.StatusServiceUnavailable {
			a.status(200).text("well\n")
			return
		}
	}
	t.Errorf("%s does not serve again", s.tenant)
}

// attackReport is the table of `make attack`.
type attackReport struct{ lines []string }

func newAttackReport() *attackReport {
	return &attackReport{lines: []string{"row\tattack\toutcome\ttime\tneighbour p99\tmost\tmeasured"}}
}

func (r *attackReport) add(row attackRow, g *siege) {
	outcome := "safe: " + row.safe
	if g.Failed() {
		outcome = "FAILED"
	}
	p99, most := "-", "-"
	if g.neighbour != nil {
		p99, most = g.neighbour.percentile(99).String(), g.neighbour.percentile(100).String()
	}
	r.lines = append(r.lines, fmt.Sprintf("%d\t%s\t%s\t%s\t%s\t%s\t%s", row.id, row.name, outcome,
		g.took.Round(time.Millisecond), p99, most, strings.Join(g.notes, ", ")))
}

func (r *attackReport) print(out *os.File) {
	for _, row := range attackRows() {
		if row.run == nil {
			r.lines = append(r.lines, fmt.Sprintf("%d\t%s\tdoes not apply: %s\t-\t-\t-\t", row.id, row.name, row.why))
		}
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(r.lines, "\n"))
	_ = w.Flush()
}
