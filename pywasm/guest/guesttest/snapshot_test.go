package guesttest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

// TestHooks runs what os.register_at_fork registered: before in reverse, after
// in order, as CPython does; one that raises does not keep the others. Hooks of
// threading and of locks run once, before the snapshot.
func TestHooks(t *testing.T) {
	t.Setenv("WASGI_GUEST_APPS", "testdata/snapshots")
	in := start(t, abi.BootModeWSGI)
	in.load("hooks:application")
	for _, test := range []struct{ export, out, log string }{
		{abi.ExportBeforeSnapshot, "before 2\nbefore 1\nearly\n", "ValueError: in hook"},
		{abi.ExportAfterRestore, "after 1\nafter 2\nlocked: False\n", ""},
	} {
		x := &exchange{}
		in.stdout.writes = nil
		if status := abi.Status(in.call(in.context(x), test.export)); status != abi.StatusOK {
			t.Fatalf("%s: %v", test.export, status)
		}
		log := ""
		for _, l := range x.logs() {
			log += lastLine(l.text)
		}
		if got := in.stdout.String(); got != test.out || log != test.log {
			t.Errorf("%s: %q %q", test.export, got, log)
		}
	}
}

// TestReseed draws the same numbers without a restore, and others after it.
func TestReseed(t *testing.T) {
	t.Setenv("WASGI_GUEST_APPS", "testdata/snapshots")
	draw := func(restore bool) []string {
		in := start(t, abi.BootModeWSGI)
		in.load("seeded:application")
		if restore {
			in.snapshot()
		}
		x := in.get("/")
		return strings.Fields(x.calls[1].data)
	}
	if diff := cmp.Diff(draw(false)[:1], draw(false)[:1]); diff != "" {
		t.Errorf("a seeded generator differs: %s", diff)
	}
	seen := map[string]bool{}
	for _, number := range append(draw(true), draw(true)...) {
		if seen[number] {
			t.Errorf("%s was drawn twice", number)
		}
		seen[number] = true
	}
	if seen[draw(false)[0]] {
		t.Error("a restored instance draws what the snapshot would")
	}
}

// TestRandomAfterRestore uses the shared generator in every way that there is.
// What an application seeds or sets itself counts; nothing else is what the
// snapshot would have drawn.
func TestRandomAfterRestore(t *testing.T) {
	t.Setenv("WASGI_GUEST_APPS", "testdata/snapshots")
	draw := func(path string) string {
		in := start(t, abi.BootModeWSGI)
		in.load("generator:application")
		in.snapshot()
		return in.get(path).calls[1].data
	}
	for path, want := range map[string]string{
		"/seed": "0.32383276483316237", // random.Random(7).random(), python3.13
		"/set":  "0.32383276483316237",
		"/bad":  "ValueError",
		"/own":  "0.15084917392450192", // the second number of random.Random(7)
	} {
		if got := draw(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	seen := map[string]string{draw("/kept"): "the image's"}
	for _, path := range []string{"/random", "/bits", "/state", "/gauss", "/shuffle", "/after-bad"} {
		for range 2 {
			got := draw(path)
			if before, ok := seen[got]; ok {
				t.Errorf("%s draws %s, and so did %s", path, got, before)
			}
			seen[got] = path
		}
	}
}

// TestAfterRestoreServes takes requests after a snapshot as before, and the
// locks of logging and concurrent.futures, which their hooks hold, are free.
func TestAfterRestoreServes(t *testing.T) {
	t.Setenv("WASGI_GUEST_APPS", "testdata/snapshots")
	in := start(t, abi.BootModeWSGI)
	in.load("locks:application")
	in.snapshot()
	if got, want := in.get("/").calls[1].data, "False False done"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func (in *instance) snapshot() {
	in.t.Helper()
	ctx := in.context(&exchange{})
	for _, export := range []string{abi.ExportBeforeSnapshot, abi.ExportAfterRestore} {
		if status := abi.Status(in.call(ctx, export)); status != abi.StatusOK {
			in.t.Fatalf("%s: %v", export, status)
		}
	}
}

// TestNoLeak serves many requests of every kind; memory does not grow, and the
// number of blocks that Python holds settles.
func TestNoLeak(t *testing.T) {
	t.Setenv("WASGI_GUEST_APPS", "testdata/snapshots")
	in := start(t, abi.BootModeWSGI)
	in.load("kinds:application")
	paths := []string{"/list", "/generator", "/write", "/raise", "/late", "/wrong", "/file", "/length"}
	serve := func(rounds int) {
		for range rounds {
			for _, path := range paths {
				in.handle(environ(t, "POST", path, abi.Pair{Key: "HTTP_X_LITERAL", Value: "v"}),
					&exchange{body: strings.NewReader("one\ntwo\n")})
			}
		}
	}
	blocks := func() int {
		n, err := strconv.Atoi(in.get("/blocks").calls[1].data)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	serve(750) // free lists and caches fill up, by some 600 blocks and ever more slowly
	memory := in.module.Memory().Size()
	// One block kept by one kind of request would be 1000 each time; a cache that
	// is made anew, some 500, comes once.
	var grown []int
	before := blocks()
	for range 3 {
		serve(1000)
		after := blocks()
		grown = append(grown, after-before)
		before = after
	}
	if slices.Min(grown) >= 500 {
		t.Errorf("blocks grew by %d", grown)
	}
	if size := in.module.Memory().Size(); size != memory {
		t.Errorf("memory grew from %d to %d", memory, size)
	}
}
