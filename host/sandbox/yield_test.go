package sandbox

import (
	"context"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
)

// yielding is an engine whose yields are counted.
func yielding(t *testing.T, module []byte, yields *int) *Engine {
	t.Helper()
	e, err := NewEngine(t.Context(), EngineConfig{Module: module, Yield: func() { *yields++ }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, e.Close(context.Background())) })
	return e
}

func TestAGuestThatRunsOnGivesWay(t *testing.T) {
	yields := 0
	im := build(t, yielding(t, tck.Spin(), &yields), Spec{CPULimit: 10 * slice})
	in := restore(t, im)
	yields = 0
	wantKind(t, in.Serve(t.Context(), emptyRequest(), &recorder{}), KindTimeout)
	// A slice ends at the first look of the meter that comes after it.
	if yields < 1 || yields > 10 {
		t.Errorf("it gave way %d times in ten slices", yields)
	}
}

func TestAnImportThatRunsOnGivesWay(t *testing.T) {
	yields := 0
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := yielding(t, tck.SpinIn(abi.ExportLoad), &yields).Build(ctx, Spec{Grace: -1}); err == nil {
		t.Fatal("an import without an end has ended")
	}
	if yields == 0 {
		t.Error("it never gave way")
	}
}

func TestAShortCallGivesNoWay(t *testing.T) {
	yields := 0
	in := restore(t, build(t, yielding(t, tck.Echo(), &yields), Spec{}))
	yields = 0
	if err := in.Serve(t.Context(), emptyRequest(), &recorder{}); err != nil || yields != 0 {
		t.Errorf("it gave way %d times, %v", yields, err)
	}
}
