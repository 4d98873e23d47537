package guesttest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

// TestLoad names entry points of testdata/entries, right and wrong.
func TestLoad(t *testing.T) {
	t.Setenv("WASGI_GUEST_APPS", "testdata/entries")
	for _, test := range []struct {
		entry  string
		status abi.Status
		log    string // the last line of what was logged
	}{
		{"good:application", abi.StatusOK, ""},
		{"good:nested.app", abi.StatusOK, ""},
		{"good:create_app()", abi.StatusOK, ""},
		{"package.module:application", abi.StatusOK, ""},
		{"good", abi.StatusEntry, "entry point 'good' is not module:attribute"},
		{":application", abi.StatusEntry, "entry point ':application' is not module:attribute"},
		{"good:", abi.StatusEntry, "entry point 'good:' is not module:attribute"},
		{"absent:application", abi.StatusEntry,
			"no module named 'absent' in /app, /usr/lib/python3.13, /usr/lib/python3.13/site-packages"},
		{"package.absent:application", abi.StatusEntry,
			"no module named 'package.absent' in /app, /usr/lib/python3.13, /usr/lib/python3.13/site-packages"},
		{"good:app", abi.StatusEntry, "entry point 'good:app': module good has no attribute 'app'; " +
			"what may be meant: good:application"},
		{"good:nested.absent", abi.StatusEntry, "entry point 'good:nested.absent': SimpleNamespace has no attribute " +
			"'absent'; what may be meant: good:application"},
		{"good:number", abi.StatusEntry, "entry point 'good:number' is a int, not callable; " +
			"what may be meant: good:application"},
		{"good:number()", abi.StatusEntry, "factory of 'good:number()' is a int, not callable"},
		{"good:none()", abi.StatusEntry, "entry point 'good:none()' is a NoneType, not callable; " +
			"what may be meant: good:application"},
		{"asgi:application", abi.StatusEntry, "entry point 'asgi:application' is an ASGI application; " +
			"wasgi serves WSGI: wrap it, with a2wsgi.ASGIMiddleware for one"},
		{"asgi:instance", abi.StatusEntry, "entry point 'asgi:instance' is an ASGI application; " +
			"wasgi serves WSGI: wrap it, with a2wsgi.ASGIMiddleware for one"},
		{"good:broken_factory()", abi.StatusException, "RuntimeError: in factory"},
		{"lacks:application", abi.StatusException, "ModuleNotFoundError: No module named 'dependency'"},
		{"syntax:application", abi.StatusException, "SyntaxError: invalid syntax"},
		{"leaves:application", abi.StatusException, "SystemExit: 3"},
	} {
		t.Run(test.entry, func(t *testing.T) {
			status, logs := start(t, abi.BootModeWSGI).tryLoad(test.entry)
			got := ""
			if len(logs) > 0 {
				got = lastLine(logs[len(logs)-1].text)
			}
			if status != test.status || got != test.log {
				t.Errorf("%v %q, want %v %q", status, got, test.status, test.log)
			}
		})
	}
}

// TestImportTraceback says which line failed and nothing of the gateway's own.
func TestImportTraceback(t *testing.T) {
	t.Setenv("WASGI_GUEST_APPS", "testdata/entries")
	_, logs := start(t, abi.BootModeWSGI).tryLoad("chain:application")
	want := []logged{{abi.LogTraceback, `Traceback (most recent call last):
  File "/app/chain.py", line 2, in <module>
    {}["missing"]
    ~~^^^^^^^^^^^
KeyError: 'missing'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/chain.py", line 4, in <module>
    raise ValueError("not configured") from error
ValueError: not configured
`}}
	if diff := cmp.Diff(want, logs, cmp.AllowUnexported(logged{})); diff != "" {
		t.Error(diff)
	}
}

// TestOrder calls the exports when they are not allowed.
func TestOrder(t *testing.T) {
	in, status := tryStart(t, abi.Boot{Mode: "neither"}, nil)
	if status != abi.StatusInvalid {
		t.Errorf("boot in an unknown mode: %v", status)
	}
	ctx := in.context(in.boot)
	for _, export := range []string{abi.ExportLoad, abi.ExportHandle} {
		if got := abi.Status(in.call(ctx, export, 0)); got != abi.StatusState {
			t.Errorf("%s before boot: %v", export, got)
		}
	}
	for _, export := range []string{abi.ExportBeforeSnapshot, abi.ExportAfterRestore} {
		if got := abi.Status(in.call(ctx, export)); got != abi.StatusState {
			t.Errorf("%s before boot: %v", export, got)
		}
	}
	if got := in.call(ctx, abi.ExportRun); got != 255 {
		t.Errorf("run before boot: %d", got)
	}
	if got := in.call(ctx, abi.ExportVersion); got != abi.Version {
		t.Errorf("version %d", got)
	}
	if got := in.call(ctx, abi.ExportAlloc, abi.MaxMessage+1); got != 0 {
		t.Errorf("alloc above the limit: %#x", got)
	}
}

func TestOrderAfterBoot(t *testing.T) {
	in := start(t, abi.BootModeWSGI)
	ctx := in.context(in.boot)
	for _, test := range []struct {
		export string
		want   abi.Status
	}{
		{abi.ExportBoot, abi.StatusState}, {abi.ExportHandle, abi.StatusState},
		{abi.ExportLoad, abi.StatusInvalid}, // an empty message
	} {
		if got := abi.Status(in.call(ctx, test.export, 0)); got != test.want {
			t.Errorf("%s: %v, want %v", test.export, got, test.want)
		}
	}
	in.load("hello:application")
	if status, _ := in.tryLoad("hello:application"); status != abi.StatusState {
		t.Errorf("second load: %v", status)
	}
}

// TestBootRefuses what it cannot use.
func TestBootRefuses(t *testing.T) {
	for _, test := range []struct {
		boot abi.Boot
		want abi.Status
		log  string
	}{
		{abi.Boot{Mode: abi.BootModeWSGI, Cwd: "/absent"}, abi.StatusInvalid,
			"cannot enter the working directory /absent: No such file or directory"},
		{abi.Boot{Mode: abi.BootModeWSGI, Cwd: "/a\x00b"}, abi.StatusInvalid, ""},
		{abi.Boot{Mode: abi.BootModeWSGI, Args: []string{"a\x00b"}}, abi.StatusInvalid, ""},
	} {
		in, status := tryStart(t, test.boot, nil)
		got := ""
		if logs := in.boot.logs(); len(logs) > 0 {
			got = logs[0].text
		}
		if status != test.want || got != test.log {
			t.Errorf("%+v: %v %q", test.boot, status, got)
		}
	}
}
