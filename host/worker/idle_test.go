//go:build linux

package worker

import (
	"math"
	"os"
	"testing"
	"time"

	"github.com/wasgi/wasgi/tenants"
)

// TestIdleWorkerEnds: without instances the process goes, and the next instance
// is in another. That is no crash.
func TestIdleWorkerEnds(t *testing.T) {
	l := newLab(t)
	cfg := l.config("counter")
	cfg.Job.Tenant.Manifest.Instances.Idle = tenants.Duration{Duration: 50 * time.Millisecond}
	im := l.build(cfg)
	in := l.restore(im)
	p := in.session.process
	if err := in.Serve(t.Context(), emptyRequest(), &recorder{}); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	received(t, p.buried)
	again := l.restore(im)
	if err := again.Serve(t.Context(), emptyRequest(), &recorder{}); err != nil || again.pid() == p.cmd.Process.Pid {
		t.Errorf("%v, pid %d after %d", err, again.pid(), p.cmd.Process.Pid)
	}
	if im.crashes != 0 || l.log.count("its requests were lost") != 0 {
		t.Errorf("%d crashes", im.crashes)
	}
}

// TestBusyWorkerStays while an instance lives, and while its image would be lost.
func TestBusyWorkerStays(t *testing.T) {
	l := newLab(t)
	im := l.image("counter")
	in := l.restore(im)
	if im.sleep(); im.current == nil {
		t.Error("a worker with an instance was ended")
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := l.config("echo")
	if err := os.MkdirAll(cfg.Job.Snapshot, 0o700); err != nil { // nothing can be stored there
		t.Fatal(err)
	}
	im = l.build(cfg)
	if im.sleep(); im.current == nil || im.current.stored {
		t.Error("a worker whose image is nowhere else was ended")
	}
}

// TestIdleTime: zero is for ever.
func TestIdleTime(t *testing.T) {
	for idle, want := range map[time.Duration]time.Duration{0: math.MaxInt64, time.Second: time.Second} {
		var j Job
		j.Tenant.Manifest.Instances.Idle.Duration = idle
		if got := j.idleTime(); got != want {
			t.Errorf("%v: %v, want %v", idle, got, want)
		}
	}
}
