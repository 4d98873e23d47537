package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/client"
)

func newTop() *cobra.Command {
	var r *remote
	var every time.Duration
	var times int
	c := &cobra.Command{
		Use:   "top",
		Short: "Show live what tenants use, the busiest first",
		Long: `Shows the tenants with their requests a second, instances and memory, again every
--every, until q or Ctrl-C. Where standard output is no terminal it writes one table after
the other, --times of them; with --json an object a line, in which requests_per_second
comes with the second one.`,
		Example: `  wasgi top
  wasgi top --times 2 --every 10s | tail -n +2
  wasgi top --json | jq -c '.tenants[0] | {name, memory}'`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if every < 100*time.Millisecond {
				return usageError{fmtUsage(c, fmt.Errorf("--every %s: 100ms is the least", every))}
			}
			client, err := r.client()
			if err != nil {
				return err
			}
			t := &top{client: client, out: c.OutOrStdout(), every: every, left: times, json: r.json}
			return t.run(c.Context())
		},
	}
	c.Flags().DurationVar(&every, "every", 2*time.Second, "time between two looks")
	c.Flags().IntVar(&times, "times", 0, "how many tables, 0 for no end")
	r = remoteFlags(c)
	return c
}

// top is one run of `wasgi top`.
type top struct {
	client *client.Client
	out    io.Writer
	every  time.Duration
	left   int // tables; 0 is no end
	json   bool

	terminal *os.File // what is drawn on; nil without one

	before map[string]api.Status
	at     time.Time
}

func (t *top) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	restore, err := t.screen(cancel)
	if err != nil {
		return err
	}
	defer restore()
	tick := time.NewTicker(t.every)
	defer tick.Stop()
	for n := 1; ; n++ {
		if err := t.look(ctx); err != nil {
			if ctx.Err() != nil {
				return nil // q or Ctrl-C
			}
			return err
		}
		if n == t.left {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// screen takes a terminal over: the alternate screen, and keys without echo. The
// goroutine that reads keys ends with the process.
func (t *top) screen(quit func()) (restore func(), err error) {
	f, ok := t.out.(*os.File)
	if t.json || !ok || !term.IsTerminal(int(f.Fd())) || !term.IsTerminal(int(os.Stdin.Fd())) {
		return func() {}, nil
	}
	before, err := term.MakeRaw(int(os.Stdin.Fd()))
	if err != nil {
		return nil, err
	}
	go func() {
		var key [1]byte
		for {
			if _, err := os.Stdin.Read(key[:]); err != nil || key[0] == 'q' || key[0] == 3 {
				quit()
				return
			}
		}
	}()
	t.terminal = f
	fmt.Fprint(f, "\x1b[?1049h\x1b[?25l")
	return func() {
		fmt.Fprint(f, "\x1b[?25h\x1b[?1049l")
		_ = term.Restore(int(os.Stdin.Fd()), before) // what cannot be put back is the shell's now
	}, nil
}

// look asks once and writes a table.
func (t *top) look(ctx context.Context) error {
	all, err := t.client.Statuses(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	seconds := now.Sub(t.at).Seconds()
	before := t.before
	if before == nil && t.terminal != nil { // the same columns from the first frame on
		before, seconds = map[string]api.Status{}, 0
	}
	t.remember(all, now)
	sortByUse(all, before, seconds)
	if t.json {
		return printUsed(t.out, all, before, now, seconds)
	}
	f := frame{at: now, all: all, rows: useRows(all, before, seconds)}
	if t.terminal != nil {
		width, height, err := term.GetSize(int(t.terminal.Fd()))
		if err != nil {
			width, height = 80, 24
		}
		return f.draw(t.terminal, width, height)
	}
	return f.print(t.out)
}

func (t *top) remember(all []api.Status, now time.Time) {
	t.before, t.at = map[string]api.Status{}, now
	for _, s := range all {
		t.before[s.Name] = s
	}
}

// used is a tenant as --json shows it.
type used struct {
	api.Status
	Rate *float64 `json:"requests_per_second,omitempty"` // absent in the first look
}

// printUsed writes one look as a line. before may be nil.
func printUsed(w io.Writer, all []api.Status, before map[string]api.Status, now time.Time, seconds float64) error {
	out := struct {
		Time    time.Time `json:"time"`
		Tenants []used    `json:"tenants"`
	}{now, make([]used, len(all))}
	for i, s := range all {
		out.Tenants[i].Status = s
		if before != nil {
			r := rate(before[s.Name].Requests, s.Requests, seconds)
			out.Tenants[i].Rate = &r
		}
	}
	return json.NewEncoder(w).Encode(out)
}

// sortByUse puts the busiest first. before may be nil.
func sortByUse(all []api.Status, before map[string]api.Status, seconds float64) {
	slices.SortStableFunc(all, func(a, b api.Status) int {
		return cmp.Or(
			cmp.Compare(rate(before[b.Name].Requests, b.Requests, seconds), rate(before[a.Name].Requests, a.Requests, seconds)),
			cmp.Compare(b.Memory, a.Memory), cmp.Compare(a.Name, b.Name))
	})
}
