package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wasgi/wasgi/host"
)

// console tells an operator what becomes of the tenants: one line each on out
// when they serve, progress and failures on side.
type console struct{ out, side io.Writer }

func newConsole(out, side io.Writer) *console { return &console{out, side} }

// event is called by the host, one event at a time. What cannot be written is
// lost: there is nobody left to tell.
func (c *console) event(e host.Event) {
	switch e.Kind {
	case host.EventListening:
		fmt.Fprintf(c.side, "wasgi: listening on %s\n", e.URL)
	case host.EventProgress:
		fmt.Fprintf(c.side, "wasgi: %s: %s\n", e.Tenant, e.Text)
	case host.EventReady:
		fmt.Fprintf(c.out, "%-12s %s  (%s)\n", e.Tenant, e.URL, e.Took.Round(time.Millisecond))
	case host.EventFailed:
		fmt.Fprintf(c.side, "wasgi: %s: not served: %s\n", e.Tenant, strings.TrimSpace(e.Err.Error()))
	case host.EventStopped:
		fmt.Fprintf(c.side, "wasgi: %s: stopped\n", e.Tenant)
	}
}
