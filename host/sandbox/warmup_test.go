package sandbox

import (
	"bytes"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi/tck"
)

// TestWarmupRounds: all requests, as often as there are rounds.
func TestWarmupRounds(t *testing.T) {
	spec := Spec{Warmup: []Request{*emptyRequest(), *emptyRequest()}, WarmupRounds: 3}
	in := restore(t, build(t, newEngine(t, tck.Counter()), spec))
	if got := serve(t, in, emptyRequest()).body; !bytes.Equal(got, []byte{7, 7}) {
		t.Errorf("the first request is number %v, want 7", got)
	}
}

// TestPythonLaterRoundsFailNothing: what answers once was warmed up, whatever it says
// the second time, and there is no third.
func TestPythonLaterRoundsFailNothing(t *testing.T) {
	p := newPython(t)
	for name, again := range map[string]string{"a status": "s('503 Later', [])", "an exception": "1 / 0"} {
		spec := p.spec(t, "seen = []\ndef application(e, s):\n    seen.append(1)\n    if len(seen) == 2:\n        "+again+
			"\n    else:\n        s('200 OK', [])\n    return [str(len(seen)).encode()]\n")
		spec.WarmupRounds = 3
		in := restore(t, build(t, p.engine, spec))
		if got := string(serve(t, in, &Request{Environ: get(t, "/")}).body); got != "3" {
			t.Errorf("%s in the second round: the first request is number %s, want 3", name, got)
		}
	}
}

// TestSlowWarmupHasOneRound: a hundred would be longer than a start may take.
func TestSlowWarmupHasOneRound(t *testing.T) {
	spec := Spec{StartTimeout: 10 * quickWarmup, WarmupRounds: 100, Warmup: []Request{*emptyRequest()}}
	closed(t, build(t, newEngine(t, tck.Sleep(quickWarmup+time.Millisecond)), spec).Close())
}

// TestWarmupsHaveOneTimeTogether: a manifest may name any number of them, and
// others wait to be built.
func TestWarmupsHaveOneTimeTogether(t *testing.T) {
	spec := Spec{StartTimeout: 200 * time.Millisecond, WarmupTimeout: time.Minute, Grace: -1}
	for range 1000 {
		spec.Warmup = append(spec.Warmup, *emptyRequest())
	}
	im, err := newEngine(t, tck.Sleep(100*time.Millisecond)).Build(t.Context(), spec)
	if err == nil {
		closed(t, im.Close())
	}
	wantKind(t, err, KindTimeout)
}
