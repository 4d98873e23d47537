package sandbox

import (
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi/tck"
)

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
