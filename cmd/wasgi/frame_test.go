package main

import (
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
)

// drawn is a frame as a terminal of a size shows it.
func drawn(t *testing.T, width, height int, all ...api.Status) string {
	t.Helper()
	f := frame{at: time.Date(2026, 11, 26, 9, 5, 7, 0, time.UTC), all: all, rows: useRows(all, map[string]api.Status{"shop": {Requests: 100}}, 2)}
	var b strings.Builder
	if err := f.draw(&b, width, height); err != nil {
		t.Fatal(err)
	}
	inside, found := strings.CutPrefix(b.String(), "\x1b[H")
	inside, found2 := strings.CutSuffix(inside, "\x1b[J")
	if !found || !found2 {
		t.Errorf("%q", b.String())
	}
	lines := strings.Split(inside, "\x1b[K\r\n")
	if len(lines) > height {
		t.Errorf("%d lines on %d", len(lines), height)
	}
	for _, line := range lines {
		if n := len([]rune(line)); n >= width {
			t.Errorf("%q has %d columns of %d", line, n, width)
		}
	}
	return strings.Join(lines, "\n")
}

func TestTopFrames(t *testing.T) {
	t.Parallel()
	called := time.Date(2026, 11, 26, 9, 5, 0, 0, time.Local)
	all := []api.Status{
		{Name: "shop", State: "serving", Idle: 3, Busy: 2, Waiting: 1, Requests: 125, Memory: 211 << 20, LastCall: &called},
		{Name: "a-tenant-with-a-long-name-for-this", State: "serving", Idle: 1, Memory: 3 << 20},
		{Name: "wiki", State: "cold"},
	}
	for _, c := range []struct {
		width, height int
		all           []api.Status
		want          string
	}{
		{120, 24, all, `09:05:07  3 tenants, 2 busy instances, 214.0 MiB

TENANT                              STATE    IDLE  BUSY  MAKING  WAITING  REQ/S  MEMORY     LAST REQUEST
shop                                serving  3     2     0       1        12.5   211.0 MiB  2026-11-26 09:05:00
a-tenant-with-a-long-name-for-this  serving  1     0     0       0        0.0    3.0 MiB    never
wiki                                cold     0     0     0       0        0.0    0.0 MiB    never`},
		{60, 24, all, `09:05:07  3 tenants, 2 busy instances, 214.0 MiB

TENANT                STATE    IDLE  BUSY  REQ/S  MEMORY
shop                  serving  3     2     12.5   211.0 MiB
a-tenant-w…-for-this  serving  1     0     0.0    3.0 MiB
wiki                  cold     0     0     0.0    0.0 MiB`},
		{60, 5, all, `09:05:07  3 tenants, 2 busy instances, 214.0 MiB

TENANT  STATE    IDLE  BUSY  WAITING  REQ/S  MEMORY
shop    serving  3     2     1        12.5   211.0 MiB
… 2 more`},
		{40, 24, nil, `09:05:07  0 tenants, 0 busy instances,

No tenant yet: run ` + "`wasgi deploy DIR`."},
	} {
		if got := drawn(t, c.width, c.height, c.all...); got != c.want {
			t.Errorf("%d×%d:\n%s\nwant\n%s", c.width, c.height, got, c.want)
		}
	}
	if first := useRows(all, map[string]api.Status{}, 0); first[0][6] != "REQ/S" || first[1][6] != "–" {
		t.Errorf("the first frame has %q", first)
	}
	for width := range 12 {
		for height := range 6 {
			if width > 0 && height > 0 {
				drawn(t, width, height, all...)
			}
		}
	}
}
