package sandbox

import (
	"context"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
)

// yieldCount is how often guests gave way, in requests and in all else.
type yieldCount struct{ requests, others int }

// yielding is an engine whose yields are counted.
func yielding(t *testing.T, module []byte, yields *yieldCount) *Engine {
	t.Helper()
	e, err := NewEngine(t.Context(), EngineConfig{Module: module, Yield: func(request bool) {
		if request {
			yields.requests++
			return
		}
		yields.others++
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, e.Close(context.Background())) })
	return e
}

func TestAGuestThatRunsOnGivesWay(t *testing.T) {
	yields := yieldCount{}
	im := build(t, yielding(t, tck.Spin(), &yields), Spec{CPULimit: 10 * slice})
	in := restore(t, im)
	yields = yieldCount{}
	wantKind(t, in.Serve(t.Context(), emptyRequest(), &recorder{}), KindTimeout)
	// A slice ends at the first look of the meter that comes after it.
	if yields.requests < 1 || yields.requests > 10 || yields.others != 0 {
		t.Errorf("it gave way %+v times in ten slices", yields)
	}
}

func TestAnImportThatRunsOnGivesWay(t *testing.T) {
	yields := yieldCount{}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := yielding(t, tck.SpinIn(abi.ExportLoad), &yields).Build(ctx, Spec{Grace: -1}); err == nil {
		t.Fatal("an import without an end has ended")
	}
	if yields.others == 0 || yields.requests != 0 {
		t.Errorf("it gave way %+v times", yields)
	}
}

func TestAShortCallGivesNoWay(t *testing.T) {
	yields := yieldCount{}
	in := restore(t, build(t, yielding(t, tck.Echo(), &yields), Spec{}))
	yields = yieldCount{}
	if err := in.Serve(t.Context(), emptyRequest(), &recorder{}); err != nil || yields != (yieldCount{}) {
		t.Errorf("it gave way %+v times, %v", yields, err)
	}
}
