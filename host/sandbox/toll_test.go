package sandbox

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
	"github.com/wasgi/wasgi/wasi"
)

// slowFS has no files, and takes longer to say so than the toll.
type slowFS struct {
	sys.UnimplementedFS
	opened func()
}

func (s slowFS) OpenFile(string, sys.Oflag, fs.FileMode) (wasi.File, sys.Errno) {
	s.opened()
	time.Sleep(2 * time.Millisecond)
	return nil, sys.ENOENT
}

// TestSlowCallsAreLookedAt: the fuel of a guest lasts for a thousand calls. One
// that took long must not be followed by another when the request has ended.
func TestSlowCallsAreLookedAt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	opened, serving := 0, false
	slow := slowFS{opened: func() {
		if opened++; serving && opened == 3 {
			cancel()
		}
	}}
	spec := Spec{Grace: -1, Policy: wasi.Policy{Mounts: []wasi.Mount{{Guest: "/tmp", Open: func() (wasi.FS, error) { return slow, nil }}}}}
	in := restore(t, build(t, newEngine(t, tck.OpenFileForever()), spec))
	opened, serving = 0, true
	wantKind(t, in.Serve(ctx, emptyRequest(), &recorder{}), KindCanceled)
	if opened != 3 {
		t.Errorf("%d files were opened, %d of them after the request had ended", opened, opened-3)
	}
}

// hanger ends its request when the guest has logged three texts.
type hanger struct {
	recorder
	end func()
}

func (h *hanger) Log(level abi.LogLevel, text string) {
	h.recorder.Log(level, text)
	if len(h.logs) == 3 {
		h.end()
	}
}

func TestLogsAreLookedAt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in := restore(t, build(t, newEngine(t, tck.LogForever()), Spec{Grace: -1}))
	h := &hanger{end: cancel}
	wantKind(t, in.Serve(ctx, emptyRequest(), h), KindCanceled)
	if n := len(h.logs); n != 3 {
		t.Errorf("%d texts were logged, %d of them after the request had ended", n, n-3)
	}
}
