package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
)

func TestServeEcho(t *testing.T) {
	in := instanceOf(t, tck.Echo())
	for range 3 {
		r := serve(t, in, emptyRequest())
		want := &recorder{heads: []abi.ResponseHead{tck.Head()}, body: []byte(tck.EchoText), writes: 1, last: true}
		if diff := cmp.Diff(want, r, cmp.AllowUnexported(recorder{}), cmp.FilterValues(ignoreFuncs, cmp.Ignore())); diff != "" {
			t.Fatal(diff)
		}
	}
}

func ignoreFuncs(a, b any) bool {
	switch a.(type) {
	case func() error, func([]byte) error:
		return true
	}
	return false
}

func TestServeConformance(t *testing.T) {
	t.Run("restored", func(t *testing.T) { tck.Check(t, session{t, instanceOf(t, tck.Body())}) })
	t.Run("reset each time", func(t *testing.T) { tck.Check(t, resetSession{session{t, instanceOf(t, tck.Body())}}) })
}

type resetSession struct{ session }

func (s resetSession) Serve(environ, body []byte) (abi.ResponseHead, []byte, error) {
	head, out, err := s.session.Serve(environ, body)
	return head, out, errors.Join(err, s.in.Reset())
}

func TestServeEnviron(t *testing.T) {
	in := instanceOf(t, tck.Environ())
	for _, size := range []int{4, 100, messageSlack, messageSlack + 1, abi.MaxMessage, 10} {
		message := bytes.Repeat([]byte("e"), size)
		if r := serve(t, in, &Request{Environ: message}); !bytes.Equal(r.body, message) {
			t.Errorf("a message of %d bytes came back with %d, or others", size, len(r.body))
		}
	}
}

func TestServeRefusesLongEnviron(t *testing.T) {
	in := instanceOf(t, tck.Echo())
	err := in.Serve(t.Context(), &Request{Environ: make([]byte, abi.MaxMessage+1)}, &recorder{})
	if e := wantKind(t, err, KindInvalid); !errors.Is(e, abi.E2BIG) {
		t.Errorf("got %v", e)
	}
	if !in.Usable() {
		t.Error("the guest saw nothing of it, and yet the instance is unusable")
	}
}

func TestServeBodyErrors(t *testing.T) {
	in := instanceOf(t, tck.Body())
	q := emptyRequest()
	q.Body = iotest.ErrReader(errors.New("disk on fire"))
	err := in.Serve(t.Context(), q, &recorder{})
	if e := wantKind(t, err, KindInvalid); e.Status != abi.StatusInternal {
		t.Errorf("the guest saw %v", e)
	}
}

func TestServeBodyInSmallPieces(t *testing.T) {
	in := instanceOf(t, tck.Body())
	q := emptyRequest()
	q.Body = iotest.OneByteReader(strings.NewReader("abc"))
	r := serve(t, in, q)
	if string(r.body) != "abc" || r.writes != 3 || r.last {
		t.Errorf("got %q in %d writes, last %v", r.body, r.writes, r.last)
	}
	q.Body = iotest.DataErrReader(strings.NewReader("abc"))
	if r := serve(t, in, q); string(r.body) != "abc" {
		t.Errorf("got %q", r.body)
	}
}

// stuck returns neither bytes nor an error.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestServeBodyWithoutProgress(t *testing.T) {
	if _, err := ReadSome(stuck{}, make([]byte, 1)); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v", err)
	}
}

func TestServeOutOfBounds(t *testing.T) {
	in := instanceOf(t, tck.OutOfBounds())
	r := serve(t, in, emptyRequest())
	got := results(t, r.body)
	if len(got) != tck.OutOfBoundsResults {
		t.Fatalf("%d results", len(got))
	}
	for i, n := range got {
		if n != abi.EFAULT.Result() {
			t.Errorf("result %d is %d, want %d", i, n, abi.EFAULT.Result())
		}
	}
}

func TestServeBadHead(t *testing.T) {
	in := instanceOf(t, tck.BadHead())
	r := serve(t, in, emptyRequest())
	want := []int32{-1, -1, -1, -3, -3}
	if diff := cmp.Diff(want, results(t, r.body)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]abi.ResponseHead{tck.Head()}, r.heads); diff != "" {
		t.Error(diff)
	}
}

func TestServeOrder(t *testing.T) {
	in := instanceOf(t, tck.Order())
	r := serve(t, in, emptyRequest())
	want := []int32{abi.ESTATE.Result(), abi.EINVAL.Result(), abi.ESTATE.Result()}
	if diff := cmp.Diff(want, results(t, r.body[1:])); diff != "" {
		t.Error(diff)
	}
}

func TestServeSecondStartReplacesTheFirst(t *testing.T) {
	in := instanceOf(t, tck.Twice())
	r := serve(t, in, emptyRequest())
	if diff := cmp.Diff([]abi.ResponseHead{tck.Head()}, r.heads); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int32{0, 0}, results(t, r.body)); diff != "" {
		t.Error(diff)
	}
}

func TestServeHeadWithoutBody(t *testing.T) {
	in := instanceOf(t, tck.StatusIn(abi.ExportRun, 0))
	r := serve(t, in, emptyRequest())
	if len(r.heads) != 1 || r.writes != 0 {
		t.Errorf("%d heads, %d writes", len(r.heads), r.writes)
	}
}

func TestServeWithoutResponse(t *testing.T) {
	in := instanceOf(t, tck.Silent())
	wantKind(t, in.Serve(t.Context(), emptyRequest(), &recorder{}), KindInvalid)
	if in.Usable() {
		t.Error("usable")
	}
}

func TestServeStream(t *testing.T) {
	in := instanceOf(t, tck.Stream(5, 1000))
	r := serve(t, in, emptyRequest())
	if r.writes != 5 || len(r.body) != 5000 || r.last {
		t.Errorf("%d writes, %d bytes, last %v", r.writes, len(r.body), r.last)
	}
}

func TestServeClientGone(t *testing.T) {
	in := instanceOf(t, tck.Stream(5, 1000))
	r := &recorder{}
	r.onWrite = func([]byte) error {
		if r.writes == 2 {
			return ErrClientGone
		}
		return nil
	}
	wantKind(t, in.Serve(t.Context(), emptyRequest(), r), KindException)
	if r.writes != 2 {
		t.Errorf("%d writes: the guest was not told", r.writes)
	}
	if !in.Usable() {
		t.Error("a client that goes is no fault of the guest")
	}
	serve(t, in, emptyRequest())
}

func TestServeClientGoneBeforeTheHead(t *testing.T) {
	in := instanceOf(t, tck.StatusIn(abi.ExportRun, 0))
	gone := &recorder{onStart: func() error { return ErrClientGone }}
	if err := in.Serve(t.Context(), emptyRequest(), gone); err != nil {
		t.Error(err)
	}
	refused := &recorder{onStart: func() error { return errors.New("no") }}
	wantKind(t, in.Serve(t.Context(), emptyRequest(), refused), KindHost)
}

func TestServeHostPanics(t *testing.T) {
	cause := errors.New("boom")
	for name, value := range map[string]any{"an error": cause, "a text": "boom"} {
		t.Run(name, func(t *testing.T) {
			in := instanceOf(t, tck.Echo())
			r := &recorder{onStart: func() error { panic(value) }}
			e := wantKind(t, in.Serve(t.Context(), emptyRequest(), r), KindHost)
			if _, ok := value.(error); ok && !errors.Is(e, cause) {
				t.Errorf("%v does not wrap its cause", e)
			}
			if want := "sandbox: tck: request: host failure: a host function panicked: boom"; e.Error() != want {
				t.Errorf("got  %s\nwant %s", e, want)
			}
			if in.Usable() || in.State() != StateDead {
				t.Errorf("state %s", in.State())
			}
		})
	}
}

func TestServeException(t *testing.T) {
	in := instanceOf(t, tck.Exception())
	for range 2 {
		r := &recorder{}
		e := wantKind(t, in.Serve(t.Context(), emptyRequest(), r), KindException)
		if e.Traceback != tck.ExceptionText || e.Tenant != "tck" || e.Op != "request" {
			t.Errorf("got %+v", e)
		}
		if want := "sandbox: tck: request: exception: ValueError: tck"; e.Error() != want {
			t.Errorf("got  %s\nwant %s", e.Error(), want)
		}
		if diff := cmp.Diff([]logged{{abi.LogTraceback, tck.ExceptionText}}, r.logs); diff != "" {
			t.Error(diff)
		}
		if len(r.heads) != 0 || !in.Usable() {
			t.Errorf("%d heads, usable %v", len(r.heads), in.Usable())
		}
	}
}

func TestServeLog(t *testing.T) {
	in := instanceOf(t, tck.Logger())
	r := serve(t, in, emptyRequest())
	if diff := cmp.Diff([]int32{0, 0, 0, abi.EINVAL.Result(), 0}, results(t, r.body)); diff != "" {
		t.Error(diff)
	}
	want := []logged{{abi.LogErrors, "text"}, {abi.LogTraceback, "text"}, {abi.LogGateway, "text"}}
	if diff := cmp.Diff(want, r.logs[:3]); diff != "" {
		t.Error(diff)
	}
	if n := len(r.logs[3].Text); n == 0 || n > abi.MaxLog {
		t.Errorf("the long text has %d bytes", n)
	}
}

func TestCutText(t *testing.T) {
	long := strings.Repeat("\xff", abi.MaxLog)
	for in, want := range map[string]string{
		"": "", "a": "a", "é": "é", "a\xffb": "a\uFFFDb",
		strings.Repeat("é", abi.MaxLog):       strings.Repeat("é", abi.MaxLog/2),
		"x" + strings.Repeat("é", abi.MaxLog): "x" + strings.Repeat("é", abi.MaxLog/2-1),
		long:                                  "\uFFFD",
		strings.Repeat("\xffa", abi.MaxLog/2) + "behind": strings.Repeat("\uFFFDa", abi.MaxLog/4),
	} {
		if got := cutText([]byte(in)); got != want {
			t.Errorf("%d bytes became %d, want %d", len(in), len(got), len(want))
		}
	}
}

func strayed(e *Error) bool { return strings.Contains(e.Detail, "out of bounds memory access") }

// TestServeUnusable lists what ends an instance.
func TestServeUnusable(t *testing.T) {
	tests := []struct {
		name   string
		module []byte
		kind   Kind
		check  func(*Error) bool
	}{
		{"unreachable", tck.Trap(), KindTrap, nil},
		{"stack overflow", tck.Recurse(), KindTrap, func(e *Error) bool { return strings.Contains(e.Detail, "stack overflow") }},
		{"just behind its memory", tck.Stray(tck.MemoryPages<<16 - 3), KindTrap, strayed},
		{"far behind its memory", tck.Stray(1<<32 - 4), KindTrap, strayed},
		{"proc_exit(0)", tck.Exit(0), KindExit, func(e *Error) bool { return e.Code == 0 }},
		{"proc_exit(7)", tck.Exit(7), KindExit, func(e *Error) bool { return e.Code == 7 }},
		{"invalid", tck.StatusIn(abi.ExportHandle, abi.StatusInvalid), KindInvalid, func(e *Error) bool { return e.Status == abi.StatusInvalid }},
		{"state", tck.StatusIn(abi.ExportHandle, abi.StatusState), KindInvalid, nil},
		{"memory", tck.StatusIn(abi.ExportHandle, abi.StatusMemory), KindMemory, nil},
		{"internal", tck.StatusIn(abi.ExportHandle, abi.StatusInternal), KindInvalid, nil},
		{"unknown status", tck.StatusIn(abi.ExportHandle, 99), KindInvalid, func(e *Error) bool { return e.Status == 99 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := instanceOf(t, tt.module)
			e := wantKind(t, in.Serve(t.Context(), emptyRequest(), &recorder{}), tt.kind)
			if tt.check != nil && !tt.check(e) {
				t.Errorf("got %+v", e)
			}
			if in.Usable() || in.State() != StateDead {
				t.Errorf("state %s", in.State())
			}
			wantKind(t, in.Serve(t.Context(), emptyRequest(), &recorder{}), KindHost)
			wantKind(t, in.Reset(), KindHost)
			if err := errors.Join(in.Close(), in.Close()); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func TestServeConcurrentlyIsRefused(t *testing.T) {
	in := instanceOf(t, tck.Echo())
	r := &recorder{onStart: func() error {
		wantKind(t, in.Serve(context.Background(), emptyRequest(), &recorder{}), KindHost)
		wantKind(t, in.Reset(), KindHost)
		wantKind(t, in.Close(), KindHost)
		return nil
	}}
	if err := in.Serve(t.Context(), emptyRequest(), r); err != nil {
		t.Fatal(err)
	}
	if string(r.body) != tck.EchoText {
		t.Errorf("got %q", r.body)
	}
}

func TestServeDoesNotAllocate(t *testing.T) {
	in := instanceOf(t, tck.Count(10))
	q, r, ctx := emptyRequest(), nobody{}, t.Context()
	n := testing.AllocsPerRun(100, func() {
		if err := in.Serve(ctx, q, r); err != nil {
			t.Fatal(err)
		}
	})
	// The head is decoded into two headers, of a name and a value each, and a
	// reason: six allocations. The rest of a request has none but the closure
	// around Write.
	if n > 8 {
		t.Errorf("%v allocations a request", n)
	}
}

// nobody is a Responder that keeps nothing.
type nobody struct{}

func (nobody) Start(abi.ResponseHead) error { return nil }
func (nobody) Write([]byte, bool) error     { return nil }
func (nobody) Log(abi.LogLevel, string)     {}
