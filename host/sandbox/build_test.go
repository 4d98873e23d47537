package sandbox

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
	"github.com/wasgi/wasgi/wasi"
)

func TestBuildMessages(t *testing.T) {
	spec := Spec{
		Boot: abi.Boot{Args: []string{"app"}, Paths: []string{"/app"}, Cwd: "/app"},
		Load: abi.Load{Entry: "wsgi:application", Environ: []abi.Pair{{Key: "K", Value: "v"}}},
	}
	in := restore(t, build(t, newEngine(t, tck.Messages()), spec))
	want := spec.Boot
	want.Mode = abi.BootModeWSGI
	boot, _ := want.Encode()
	load, _ := spec.Load.Encode()
	if got := serve(t, in, emptyRequest()).body; !bytes.Equal(got, append(boot, load...)) {
		t.Errorf("the guest was sent %q", got)
	}
}

func TestBuildFails(t *testing.T) {
	long := strings.Repeat("x", abi.MaxMessage)
	tests := []struct {
		name   string
		module []byte
		spec   Spec
		kind   Kind
		want   string
	}{
		{"boot traps", tck.TrapIn(abi.ExportBoot), Spec{}, KindTrap, "boot: trap"},
		{"boot exits", tck.ExitIn(abi.ExportBoot, 3), Spec{}, KindExit, "boot: exit with code 3"},
		{"load raises", tck.ExceptionIn(abi.ExportLoad), Spec{}, KindException, "load: exception: ValueError: tck"},
		{"load finds nothing", tck.StatusIn(abi.ExportLoad, abi.StatusEntry), Spec{}, KindInvalid, "entry point does not exist"},
		{"load has no memory", tck.StatusIn(abi.ExportLoad, abi.StatusMemory), Spec{}, KindMemory, "raise the memory limit"},
		{"imports outside of a request", tck.Early(), Spec{}, 0, ""},
		{"no message buffer", tck.AllocAt(0), Spec{}, KindMemory, "no room for a message"},
		{"a wild message buffer", tck.AllocAt(-16), Spec{}, KindInvalid, "answered 0xfffffff0, outside memory"},
		{"a long boot message", tck.Echo(), Spec{Boot: abi.Boot{Cwd: long}}, KindInvalid, "above the limits"},
		{"a long load message", tck.Echo(), Spec{Load: abi.Load{Entry: long}}, KindInvalid, "above the limits"},
		{"before_snapshot raises", tck.ExceptionIn(abi.ExportBeforeSnapshot), Spec{}, KindException, "snapshot: exception"},
		{"a warm-up request traps", tck.Trap(), Spec{Warmup: []Request{*emptyRequest()}}, KindTrap, "warm-up request 1"},
		{"a warm-up request raises", tck.Exception(), Spec{Warmup: []Request{*emptyRequest()}}, KindException, "warm-up request 1"},
		{"a low memory limit", tck.Echo(), Spec{MemoryLimit: 1 << 20}, KindHost, "memory limit of 1048576 bytes is below the 1310720"},
		{"a bad policy", tck.Echo(), Spec{Policy: wasi.Policy{Env: []string{"="}}}, KindHost, "environment"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEngine(t, tt.module)
			tt.spec.Budget = NewBudget(0, nil)
			im, err := e.Build(t.Context(), tt.spec)
			if tt.kind == 0 {
				if err != nil {
					t.Fatal(err)
				}
				closed(t, im.Close())
				return
			}
			if wantKind(t, err, tt.kind); !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if used := tt.spec.Budget.Used(); used != 0 {
				t.Errorf("%d bytes of the budget are lost", used)
			}
		})
	}
}

func TestBuildKeepsTheTraceback(t *testing.T) {
	var log bytes.Buffer
	spec := Spec{Name: "shop", Logger: slog.New(slog.NewTextHandler(&log, nil))}
	_, err := newEngine(t, tck.ExceptionIn(abi.ExportLoad)).Build(t.Context(), spec)
	if e := wantKind(t, err, KindException); e.Traceback != tck.ExceptionText || e.Op != "load" || e.Tenant != "shop" {
		t.Errorf("got %+v", e)
	}
	if !strings.Contains(log.String(), "ValueError: tck") || !strings.Contains(log.String(), "tenant=shop") {
		t.Errorf("logged %q", &log)
	}
}

// TestBuildCalledOff has what an interpreter says when the host stops: that is no error
// of the application.
func TestBuildCalledOff(t *testing.T) {
	for _, level := range []string{"ERROR", "DEBUG"} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if level == "DEBUG" {
			cancel()
		}
		var log bytes.Buffer
		spec := Spec{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		_, err := newEngine(t, tck.ExceptionIn(abi.ExportLoad)).Build(ctx, spec)
		wantKind(t, err, KindException)
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level="+level+" msg=guest") {
			t.Errorf("logged %q, want it as %s", got, level)
		}
	}
}

func TestBuildWarmupIsInTheImage(t *testing.T) {
	spec := Spec{Warmup: []Request{*emptyRequest(), *emptyRequest()}}
	im := build(t, newEngine(t, tck.Counter()), spec)
	for range 2 {
		in := restore(t, im)
		for i := byte(3); i < 6; i++ {
			if got := serve(t, in, emptyRequest()).body; !bytes.Equal(got, []byte{i, i}) {
				t.Errorf("memory and global count %v, want %d", got, i)
			}
		}
	}
}

func TestBuildRefusesOpenFiles(t *testing.T) {
	for _, export := range []string{abi.ExportBoot, abi.ExportLoad, abi.ExportBeforeSnapshot} {
		t.Run(export, func(t *testing.T) {
			_, err := newEngine(t, tck.OpenFileIn(export)).Build(t.Context(), Spec{Policy: filePolicy(t)})
			want := "keeps files open: /tmp/" + tck.FileName
			if wantKind(t, err, KindInvalid); !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestBuildCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newEngine(t, tck.SpinIn(abi.ExportLoad)).Build(ctx, Spec{Grace: -1})
	wantKind(t, err, KindCanceled)
}

func TestMemoryLimit(t *testing.T) {
	const limit = 4 << 20
	in := restore(t, build(t, newEngine(t, tck.Grow()), Spec{MemoryLimit: limit + 100}))
	if diff := cmp.Diff([]int32{limit / wasmPage}, results(t, serve(t, in, emptyRequest()).body)); diff != "" {
		t.Error(diff)
	}
	if got := in.Stats().MemorySize; got != limit {
		t.Errorf("memory of %d bytes", got)
	}
}

func TestMemoryBudget(t *testing.T) {
	budget := NewBudget(0, nil)
	im := build(t, newEngine(t, tck.Grow()), Spec{MemoryLimit: 8 << 20, Budget: budget})
	image := budget.Used()
	budget.limit = (image + 2*overhead + 2<<20) * 8 / 7 // without the reserve
	first, second := restore(t, im), restore(t, im)
	pages := func(in *Instance) int32 { return results(t, serve(t, in, emptyRequest()).body)[0] }
	if a, b := pages(first), pages(second); a != tck.MemoryPages+32 || b != tck.MemoryPages {
		t.Errorf("the first grew to %d pages, the second to %d", a, b)
	}
	closed(t, first.Close())
	if got := pages(second); got != tck.MemoryPages+32+overhead/wasmPage {
		t.Errorf("after the first closed the second grew to %d pages", got)
	}
	closed(t, second.Close())
	if used := budget.Used() - image; used != 0 {
		t.Errorf("%d bytes of the budget are lost", used)
	}
}

// TestTrapAfterRefusedGrowth makes sure that the operator is told the cause.
func TestTrapAfterRefusedGrowth(t *testing.T) {
	in := restore(t, build(t, newEngine(t, tck.Hungry()), Spec{MemoryLimit: 4 << 20}))
	e := wantKind(t, in.Serve(t.Context(), emptyRequest(), &recorder{}), KindMemory)
	if !strings.Contains(e.Detail, "memory limit was reached") {
		t.Errorf("got %v", e)
	}
}

func TestImageOutlivesItsOwner(t *testing.T) {
	im := build(t, newEngine(t, tck.Counter()), Spec{})
	in := restore(t, im)
	if err := errors.Join(im.Close(), im.Close()); err != nil {
		t.Fatal(err)
	}
	serve(t, in, emptyRequest())
	if err := in.Reset(); err != nil {
		t.Fatal(err)
	}
	if got := serve(t, in, emptyRequest()).body; !bytes.Equal(got, []byte{1, 1}) {
		t.Errorf("got %v", got)
	}
	_, err := im.Restore(t.Context())
	wantKind(t, err, KindHost)
	if im.storage.view == nil {
		t.Fatal("the image went before its last instance")
	}
	closed(t, in.Close())
	if im.storage.view != nil {
		t.Error("the image is still mapped")
	}
}

func TestDefaults(t *testing.T) {
	if got := defaultTo(0, time.Second); got != time.Second {
		t.Error(got)
	}
	for limit, want := range map[uint64]uint64{0: DefaultMemoryLimit, 1 << 40: 1 << 32, 65536: 65536, 131071: 65536} {
		if got := (&Spec{MemoryLimit: limit}).memoryLimit(); got != want {
			t.Errorf("%d became %d, want %d", limit, got, want)
		}
	}
}
