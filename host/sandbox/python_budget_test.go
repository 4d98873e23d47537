package sandbox

import (
	"testing"

	"github.com/wasgi/wasgi/abi/tck"
)

// TestPythonKeepsToABudget: what compiles a tenant's packages is no exception.
func TestPythonKeepsToABudget(t *testing.T) {
	e := newEngine(t, tck.Run(0))
	budget := NewBudget(64<<20, nil)
	if status, err := e.Python(t.Context(), PythonSpec{Budget: budget}); status != 0 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	if used := budget.Used(); used != 0 {
		t.Errorf("%d bytes were not given back", used)
	}
	_, err := e.Python(t.Context(), PythonSpec{Budget: NewBudget(overhead-1, nil)})
	wantKind(t, err, KindMemory)
}
