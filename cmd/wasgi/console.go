package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wasgi/wasgi/host"
	"github.com/wasgi/wasgi/host/sandbox"
)

// console tells a person what the log does not: on out, one line for each
// tenant that serves and where; on side, the steps of a preparation, and for
// an application's author the traceback in lines of its own.
type console struct {
	out, side io.Writer
	dev       bool
}

// event is called by the host, one event at a time. What cannot be written is
// lost: there is nobody left to tell.
func (c console) event(e host.Event) {
	switch e.Kind {
	case host.EventProgress:
		fmt.Fprintf(c.side, "wasgi: %s: %s\n", e.Tenant, e.Text)
	case host.EventReady:
		fmt.Fprintf(c.out, "%-12s %s  (%s)\n", e.Tenant, e.URL, e.Took.Round(time.Millisecond))
	case host.EventFailed:
		var guest *sandbox.Error
		if c.dev && errors.As(e.Err, &guest) {
			io.WriteString(c.side, guest.Traceback)
		}
	}
}
