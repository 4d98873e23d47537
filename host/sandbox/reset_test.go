package sandbox

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
)

func reset(t testing.TB, in *Instance) {
	t.Helper()
	if err := in.Reset(); err != nil {
		t.Fatal(err)
	}
}

// bothWays runs a test with PAGEMAP_SCAN and with the pagemap's entries.
func bothWays(t *testing.T, e *Engine, f func(t *testing.T)) {
	t.Helper()
	if !e.dirty.scan {
		t.Log("this kernel has no PAGEMAP_SCAN: only the pagemap is tested")
	}
	for _, scan := range []bool{e.dirty.scan, false} {
		t.Run(fmt.Sprintf("scan=%v", scan), func(t *testing.T) {
			d := *e.dirty
			d.scan = scan
			saved := e.dirty
			e.dirty = &d
			defer func() { e.dirty = saved }()
			f(t)
		})
	}
}

func TestResetPutsBackMemoryAndGlobals(t *testing.T) {
	e := newEngine(t, tck.Counter())
	im := build(t, e, Spec{})
	bothWays(t, e, func(t *testing.T) {
		in := restore(t, im)
		for range 3 {
			for i := byte(1); i < 4; i++ {
				if got := serve(t, in, emptyRequest()).body; !bytes.Equal(got, []byte{i, i}) {
					t.Fatalf("memory and global count %v, want %d", got, i)
				}
			}
			reset(t, in)
		}
	})
}

// TestResetIsExact dirties pages from the host's side, zero pages of the image
// and others, and compares every byte.
func TestResetIsExact(t *testing.T) {
	e := newEngine(t, tck.Dirty(300))
	e.verify = false
	im := build(t, e, Spec{})
	size := im.storage.size
	page := uint64(os.Getpagesize())
	random := rand.New(rand.NewPCG(1, 2))
	patterns := map[string]func(memory []byte){
		"nothing":        func([]byte) {},
		"everything":     func(m []byte) { fill(m, 0xff) },
		"every page":     func(m []byte) { every(m, page) },
		"every other":    func(m []byte) { every(m, 2*page) },
		"first and last": func(m []byte) { m[0], m[len(m)-1] = 1, 1 },
		"read only":      func(m []byte) { _ = mapPages(m) },
		"at random": func(m []byte) {
			for range 200 {
				m[random.IntN(len(m))]++
			}
		},
	}
	bothWays(t, e, func(t *testing.T) {
		for name, dirty := range patterns {
			t.Run(name, func(t *testing.T) {
				in := restore(t, im)
				for range 2 {
					serve(t, in, emptyRequest())
					dirty(in.memory.base[:size])
					reset(t, in)
					// The guest's wasgi_after_restore writes nothing.
					if !bytes.Equal(in.memory.base[:size], im.storage.view) {
						t.Fatal("memory differs from the image")
					}
				}
			})
		}
	})
}

func fill(b []byte, c byte) {
	for i := range b {
		b[i] = c
	}
}

func every(b []byte, step uint64) {
	for i := uint64(0); i < uint64(len(b)); i += step {
		b[i] ^= 0x55
	}
}

func TestResetCountsDirtyPages(t *testing.T) {
	if os.Getpagesize() != imagePage {
		t.Skip("the pages of this machine are not of 4 KiB")
	}
	e := newEngine(t, tck.Dirty(50))
	im := build(t, e, Spec{})
	bothWays(t, e, func(t *testing.T) {
		in := restore(t, im)
		serve(t, in, emptyRequest())
		reset(t, in)
		// The message is written to the first of the 50.
		if got := in.Stats().DirtyPages; got != 50 {
			t.Errorf("%d dirty pages, want 50", got)
		}
	})
}

func TestResetRemapsWhenMostIsDirty(t *testing.T) {
	in := instanceOf(t, tck.Dirty(remapPages+100))
	for range 2 {
		serve(t, in, emptyRequest())
		reset(t, in)
	}
	if err := in.engine.dirty.find(in.memory.base[:in.memory.size], &in.dirty); err != nil {
		t.Fatal(err)
	}
	if n := len(in.dirty.runs); n > 1 {
		t.Errorf("%d runs of pages are still private", n)
	}
}

func TestResetRefusesGrownMemory(t *testing.T) {
	in := restore(t, build(t, newEngine(t, tck.GrowIn(abi.ExportAfterRestore, 0)), Spec{}))
	if _, ok := in.module.Memory().Grow(1); !ok {
		t.Fatal("memory did not grow")
	}
	e := wantKind(t, in.Reset(), KindMemory)
	if want := "memory grew from 1310720 to 1376256 bytes"; e.Detail != want {
		t.Errorf("got %q, want %q", e.Detail, want)
	}
	if in.Usable() {
		t.Error("usable")
	}
}

func TestResetClosesFiles(t *testing.T) {
	e := newEngine(t, tck.OpenFile())
	in := restore(t, build(t, e, Spec{Policy: filePolicy(t)}))
	for range 3 {
		for fd := int32(4); fd < 7; fd++ {
			if diff := cmp.Diff([]int32{0, fd}, results(t, serve(t, in, emptyRequest()).body)); diff != "" {
				t.Fatalf("errno and descriptor: %s", diff)
			}
		}
		if got := in.sandbox.OpenFiles(); len(got) != 3 {
			t.Errorf("open: %v", got)
		}
		reset(t, in)
		if got := in.sandbox.OpenFiles(); len(got) != 0 {
			t.Errorf("still open: %v", got)
		}
	}
}

func TestResetDrawsNewRandomState(t *testing.T) {
	e := newEngine(t, tck.Reseeded())
	e.verify = true
	im := build(t, e, Spec{})
	seen := map[string]bool{}
	note := func(in *Instance) {
		if b := string(serve(t, in, emptyRequest()).body); len(b) != 16 || seen[b] {
			t.Fatalf("%x was drawn before", b)
		} else {
			seen[b] = true
		}
	}
	for range 20 {
		in := restore(t, im)
		note(in)
		reset(t, in)
		note(in)
	}
}

func TestRandomDiffersBetweenInstances(t *testing.T) {
	im := build(t, newEngine(t, tck.Random()), Spec{})
	a, b := serve(t, restore(t, im), emptyRequest()).body, serve(t, restore(t, im), emptyRequest()).body
	if len(a) != 16 || bytes.Equal(a, b) || allZero(a) {
		t.Errorf("%x and %x", a, b)
	}
}

func TestAfterRestoreRunsOnceInEachRestoredMemory(t *testing.T) {
	in := instanceOf(t, tck.Restored())
	for range 3 {
		if got := serve(t, in, emptyRequest()).body; !bytes.Equal(got, []byte{1}) {
			t.Errorf("ran %v times", got)
		}
		reset(t, in)
	}
}

func TestRestoreFails(t *testing.T) {
	for name, module := range map[string][]byte{
		"trap":      tck.TrapIn(abi.ExportAfterRestore),
		"exit":      tck.ExitIn(abi.ExportAfterRestore, 1),
		"exception": tck.ExceptionIn(abi.ExportAfterRestore),
	} {
		t.Run(name, func(t *testing.T) {
			im := build(t, newEngine(t, module), Spec{Name: "tck"})
			in, err := im.Restore(t.Context())
			if in != nil || err == nil || !strings.Contains(err.Error(), "sandbox: tck: restore: ") {
				t.Errorf("got %v, %v", in, err)
			}
			if refs := im.refs.Load(); refs != 1 {
				t.Errorf("%d references are left, want the owner's", refs)
			}
		})
	}
}

func TestResetOfABuildingInstance(t *testing.T) {
	e := newEngine(t, tck.Echo())
	in, err := e.prepare(t.Context(), &Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	wantKind(t, in.Reset(), KindHost)
}

// TestInstancesShareNothing lets many instances of one image count at once.
func TestInstancesShareNothing(t *testing.T) {
	e := newEngine(t, tck.Counter())
	im := build(t, e, Spec{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if err := countOnce(t, im); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if refs := im.refs.Load(); refs != 1 {
		t.Errorf("%d references are left, want the owner's", refs)
	}
}

func countOnce(t *testing.T, im *Image) error {
	in, err := im.Restore(t.Context())
	if err != nil {
		return err
	}
	for _, want := range []byte{1, 2, 1} {
		r := &recorder{}
		if err := in.Serve(t.Context(), emptyRequest(), r); err != nil {
			return err
		}
		if !bytes.Equal(r.body, []byte{want, want}) {
			return fmt.Errorf("counted %v, want %d", r.body, want)
		}
		if want == 2 {
			if err := in.Reset(); err != nil {
				return err
			}
		}
	}
	return in.Close()
}

// TestNoByteOfAClosedInstanceIsSeenAgain fills instances of one tenant with a
// canary and looks for it in the whole reservation of another's.
func TestNoByteOfAClosedInstanceIsSeenAgain(t *testing.T) {
	const limit = 4 << 20
	canary := []byte("the canary of another tenant")
	a := build(t, newEngine(t, tck.Echo()), Spec{MemoryLimit: limit})
	b := build(t, newEngine(t, tck.Grow()), Spec{MemoryLimit: limit})
	for range 10 {
		in := restore(t, a)
		if _, ok := in.module.Memory().Grow(limit/wasmPage - tck.MemoryPages); !ok {
			t.Fatal("memory did not grow")
		}
		for i := 0; i+len(canary) < len(in.memory.base); i += 1000 {
			copy(in.memory.base[i:], canary)
		}
		closed(t, in.Close())
		other := restore(t, b)
		serve(t, other, emptyRequest())
		if bytes.Contains(other.memory.base, canary) {
			t.Fatal("found")
		}
		closed(t, other.Close())
	}
	in := restore(t, a)
	if bytes.Contains(in.memory.base[:in.memory.size], canary) {
		t.Error("found in the image")
	}
}

func TestPageMap(t *testing.T) {
	const pages = 20
	memory := make([]byte, pages*imagePage)
	for _, p := range []int{0, 1, 7, 8, 19} {
		memory[p*imagePage+p] = 1
	}
	m := mapPages(memory)
	if m.bytes(uint64(len(memory))) != 5*imagePage {
		t.Errorf("%d bytes", m.bytes(uint64(len(memory))))
	}
	type run struct {
		Start, End uint64
		Set        bool
	}
	var got []run
	_ = m.split(pageRun{imagePage, 20 * imagePage}, func(r pageRun, set bool) error {
		got = append(got, run{r.start / imagePage, r.end / imagePage, set})
		return nil
	})
	want := []run{{1, 2, true}, {2, 7, false}, {7, 9, true}, {9, 19, false}, {19, 20, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
