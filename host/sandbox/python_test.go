package sandbox

import (
	"bytes"
	"context"
	"testing"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
	"github.com/wasgi/wasgi/wasi"
)

func TestPythonExitStatus(t *testing.T) {
	for _, tt := range []struct {
		name   string
		module []byte
		want   int
	}{
		{"returns 0", tck.Run(0), 0},
		{"returns 3", tck.Run(3), 3},
		{"exits with 0", tck.ExitIn(abi.ExportRun, 0), 0},
		{"exits with 7", tck.ExitIn(abi.ExportRun, 7), 7},
		{"exits in boot", tck.ExitIn(abi.ExportBoot, 2), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newEngine(t, tt.module).Python(t.Context(), PythonSpec{})
			if err != nil || got != tt.want {
				t.Errorf("got %d, %v, want %d", got, err, tt.want)
			}
		})
	}
}

func TestPythonFails(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		module []byte
		spec   PythonSpec
		kind   Kind
	}{
		{"trap", t.Context(), tck.TrapIn(abi.ExportRun), PythonSpec{}, KindTrap},
		{"boot raises", t.Context(), tck.ExceptionIn(abi.ExportBoot), PythonSpec{}, KindException},
		{"ctrl-c", canceled, tck.SpinIn(abi.ExportRun), PythonSpec{}, KindCanceled},
		{"limit", t.Context(), tck.Run(0), PythonSpec{MemoryLimit: wasmPage}, KindHost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newEngine(t, tt.module).Python(tt.ctx, tt.spec)
			wantKind(t, err, tt.kind)
		})
	}
}

func TestPythonStreams(t *testing.T) {
	var out, errs bytes.Buffer
	policy := wasi.Policy{Stdout: &out, Stderr: &errs}
	status, err := newEngine(t, tck.Print(abi.ExportRun)).Python(t.Context(), PythonSpec{Policy: policy})
	if err != nil || status != 0 {
		t.Fatalf("got %d, %v", status, err)
	}
	if out.String() != "out" || errs.String() != "err" {
		t.Errorf("stdout %q, stderr %q", &out, &errs)
	}
}
