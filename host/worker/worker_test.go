//go:build linux

package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// session drives an instance for tck.Check.
type checked struct {
	t  *testing.T
	in *Instance
}

func (s checked) Serve(environ, body []byte) (abi.ResponseHead, []byte, error) {
	r := &recorder{}
	err := s.in.Serve(s.t.Context(), &sandbox.Request{Environ: environ, Body: bytes.NewReader(body)}, r)
	if err != nil || len(r.heads) != 1 {
		return abi.ResponseHead{}, nil, errors.Join(err, errors.New("no head, or more than one"))
	}
	return r.heads[0], r.body, nil
}

func TestConformance(t *testing.T) { tck.Check(t, checked{t, newLab(t).instance("body")}) }

// seen is what a Responder and a caller see of one request.
type seen struct {
	Heads         []abi.ResponseHead
	Body          string
	Last          bool
	Logs          []string
	Kind          sandbox.Kind
	Status        abi.Status
	Code          int
	Detail        string
	Traceback     string
	Usable        bool
	Paused, Going int
}

type server interface {
	Serve(context.Context, *sandbox.Request, sandbox.Responder) error
	Usable() bool
}

func look(t *testing.T, in server, onWrite func() error) seen {
	t.Helper()
	r := &recorder{onWrite: onWrite}
	q := emptyRequest()
	q.Body = strings.NewReader("body")
	err := in.Serve(within(t, 100*time.Millisecond), q, r)
	s := seen{Heads: r.heads, Body: brief(r.body), Last: r.last, Logs: r.logs, Usable: in.Usable(), Paused: r.paused, Going: r.going}
	var e *sandbox.Error
	if errors.As(err, &e) {
		s.Kind, s.Status, s.Code, s.Detail, s.Traceback = e.Kind, e.Status, e.Code, e.Detail, e.Traceback
	}
	return s
}

// brief is a body that can be printed.
func brief(b []byte) string {
	if len(b) <= 200 {
		return string(b)
	}
	return fmt.Sprintf("%d bytes, %x", len(b), sha256.Sum256(b))
}

// TestBothLevelsAgree serves with every guest of the kit in a worker and in
// this process, to a client that takes everything and to one that leaves.
func TestBothLevelsAgree(t *testing.T) {
	for name, module := range guests() {
		if name == "random" || name == "endless" { // no two answers are alike
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, client := range []func() error{nil, func() error { return sandbox.ErrClientGone }} {
				cfg := newLab(t).config(name)
				want, wantErr := inProcess(t, module, cfg.Job, client)
				got, err := inWorker(t, cfg, client)
				if client != nil { // who leaves may see less of a large piece
					want.Body, got.Body = "", ""
				}
				if err != nil || wantErr != nil {
					sameError(t, err, wantErr)
				} else if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("in process (-), in a worker (+):\n%s", diff)
				}
			}
		})
	}
}

// inProcess is what a sandbox of this process makes of it.
func inProcess(t *testing.T, module []byte, j Job, client func() error) (seen, error) {
	t.Helper()
	e, err := sandbox.NewEngine(t.Context(), sandbox.EngineConfig{Module: module})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	app := j.app(wasi.Memory(0, 0), nil, nil)
	pol, err := app.Policy()
	if err != nil {
		t.Fatal(err)
	}
	im, err := e.Build(t.Context(), sandbox.Spec{
		Name: "tck", Grace: -1, Policy: pol, Boot: app.Boot(), Load: app.Load(), MemoryLimit: j.MemoryLimit,
	})
	if err != nil {
		return seen{}, err
	}
	defer im.Close()
	in, err := im.Restore(t.Context())
	if err != nil {
		return seen{}, err
	}
	defer in.Close()
	return look(t, in, client), nil
}

func inWorker(t *testing.T, cfg Config, client func() error) (seen, error) {
	t.Helper()
	im, err := Build(t.Context(), cfg)
	if err != nil {
		return seen{}, err
	}
	defer im.Close()
	in, err := im.Restore(t.Context())
	if err != nil {
		return seen{}, err
	}
	defer in.Close()
	return look(t, in, client), nil
}

func sameError(t *testing.T, got, want error) {
	t.Helper()
	if got == nil || want == nil || got.Error() != want.Error() {
		t.Errorf("in a worker %v, in process %v", got, want)
	}
}

func TestFreshInstance(t *testing.T) {
	l := newLab(t)
	cfg := l.config("counter")
	cfg.Job.Tenant.Manifest.Isolation = tenants.Fresh
	in := l.restore(l.build(cfg))
	count := func() string {
		t.Helper()
		r := &recorder{}
		if err := in.Serve(t.Context(), emptyRequest(), r); err != nil {
			t.Fatal(err)
		}
		return string(r.body)
	}
	first := count()
	if err := in.Reset(); err != nil || !in.Usable() {
		t.Fatalf("%v, usable %v", err, in.Usable())
	}
	if again := count(); again != first {
		t.Errorf("counted %x, and after a reset %x", first, again)
	}
	if s := in.Stats(); s.MemorySize == 0 || s.Fuel == 0 && s.CPU == 0 {
		t.Errorf("%+v", s)
	}
}

func TestReusedInstance(t *testing.T) {
	in := newLab(t).instance("counter")
	var got [2]recorder
	for i := range got {
		if err := in.Serve(t.Context(), emptyRequest(), &got[i]); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(got[0].body, got[1].body) {
		t.Errorf("counted %x twice", got[0].body)
	}
	wantKind(t, in.Reset(), sandbox.KindHost)
	if in.Usable() {
		t.Error("usable after a reset that nobody made")
	}
}

// TestSnapshotIsKept starts two workers one after another: the second one finds
// what the first one built.
func TestSnapshotIsKept(t *testing.T) {
	l := newLab(t)
	const built = "the image is built"
	for range 2 {
		im, err := Build(t.Context(), l.config("echo"))
		if err != nil {
			t.Fatal(err)
		}
		if err := im.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := l.log.count(built); n != 1 {
		t.Errorf("%q %d times in the log, want once", built, n)
	}
	info, err := os.Stat(filepath.Join(l.dir, "snapshots", "echo", "image"))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("snapshot: %v, %v", info, err)
	}
}

// TestUnfinishedSnapshots: what a killed worker was writing is removed.
func TestUnfinishedSnapshots(t *testing.T) {
	l := newLab(t)
	cfg := l.config("echo")
	if err := os.MkdirAll(filepath.Join(cfg.Job.snapshotFolder(), ".image.123.tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	l.build(cfg)
	entries, err := os.ReadDir(cfg.Job.snapshotFolder())
	if err != nil || len(entries) != 1 || entries[0].Name() != "image" {
		t.Errorf("in the folder: %v, %v", entries, err)
	}
}

// TestSaysWhatItGot looks for the line that tells the operator.
func TestSaysWhatItGot(t *testing.T) {
	l := newLab(t)
	l.image("echo")
	for _, text := range []string{`msg="a worker process is jailed" tenant=tck pid=`, "no_new_privs true", "seccomp ", "landlock "} {
		if l.log.count(text) != 1 {
			t.Errorf("the log lacks %q", text)
		}
	}
}

func TestCancel(t *testing.T) {
	l := newLab(t)
	im := l.image("endless")
	in, other := l.restore(im), l.restore(im)
	ctx, cancel := context.WithCancel(t.Context())
	err := in.Serve(ctx, emptyRequest(), &recorder{onWrite: func() error { cancel(); return nil }})
	wantKind(t, err, sandbox.KindCanceled)
	if in.Usable() {
		t.Error("usable after a cancellation")
	}
	leaves(t, other)
	if other.pid() != in.pid() {
		t.Errorf("pids %d and %d", other.pid(), in.pid())
	}
}

// TestCancelAtTheEnd: a request that was whole when it was cancelled is fine, but
// the order to cancel could hit the next one.
func TestCancelAtTheEnd(t *testing.T) {
	in := newLab(t).instance("echo")
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{onWrite: func() error { cancel(); return nil }}
	if err := in.Serve(ctx, emptyRequest(), r); err != nil || string(r.body) != tck.EchoText {
		t.Errorf("%v, %q", err, r.body)
	}
	if in.Usable() {
		t.Error("usable after a cancellation")
	}
}

// leaves has a client that goes away after the first byte of an endless
// response: the guest takes that for an exception, and stays well.
func leaves(t *testing.T, in *Instance) {
	t.Helper()
	r := &recorder{onWrite: func() error { return sandbox.ErrClientGone }}
	wantKind(t, in.Serve(t.Context(), emptyRequest(), r), sandbox.KindException)
	if len(r.body) != 1 || !in.Usable() {
		t.Errorf("%d bytes, usable %v", len(r.body), in.Usable())
	}
}

// TestSoftStop: the grace crosses the wire.
func TestSoftStop(t *testing.T) {
	l := newLab(t)
	cfg := l.config("obedient")
	cfg.Job.Grace = 0 // the default
	in := l.restore(l.build(cfg))
	r := &recorder{}
	wantKind(t, in.Serve(within(t, 20*time.Millisecond), emptyRequest(), r), sandbox.KindTimeout)
	if len(r.body) != 8 || r.body[0] != abi.SignalTime {
		t.Errorf("the guest was not asked to end: %x", r.body)
	}
}

func TestEnvironAboveTheLimit(t *testing.T) {
	in := newLab(t).instance("echo")
	err := in.Serve(t.Context(), &sandbox.Request{Environ: make([]byte, abi.MaxMessage+1)}, &recorder{})
	wantKind(t, err, sandbox.KindInvalid)
	if !in.Usable() || in.Serve(t.Context(), emptyRequest(), &recorder{}) != nil {
		t.Error("a message that was refused ended the instance")
	}
}

// killed is a request that is in flight when its worker is killed.
func killed(t *testing.T, in *Instance) error {
	t.Helper()
	done := make(chan error, 1)
	running := make(chan struct{}, 1)
	go func() {
		done <- in.Serve(t.Context(), emptyRequest(), &recorder{onWrite: func() error {
			select {
			case running <- struct{}{}:
			default:
			}
			return nil
		}})
	}()
	received(t, running)
	if err := syscall.Kill(in.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	return received(t, done)
}

// TestKillNine kills a worker with two instances, one in flight. Another
// worker's request goes on; the idle instance serves the next request, in a new
// worker.
func TestKillNine(t *testing.T) {
	l := newLab(t)
	im, neighbour := l.image("endless"), l.image("endless")
	in, idle, far := l.restore(im), l.restore(im), l.restore(neighbour)
	stop, ended := make(chan error, 1), make(chan error, 1)
	running := make(chan struct{}, 1)
	go func() {
		ended <- far.Serve(t.Context(), emptyRequest(), &recorder{onWrite: func() error {
			select {
			case running <- struct{}{}:
			default:
			}
			select {
			case err := <-stop:
				return err
			default:
				return nil
			}
		}})
	}()
	received(t, running)
	pid := in.pid()
	e := wantKind(t, killed(t, in), sandbox.KindTrap)
	if !strings.Contains(e.Error(), "the worker process has ended: signal: killed") || in.Usable() {
		t.Errorf("%v, usable %v", e, in.Usable())
	}
	if !idle.Usable() {
		t.Error("an instance without a request is lost")
	}
	leaves(t, idle)
	if idle.pid() == pid {
		t.Errorf("the next request was served by process %d, which was killed", pid)
	}
	stop <- sandbox.ErrClientGone
	wantKind(t, received(t, ended), sandbox.KindException)
}

// TestCrashLoop kills a worker again and again: the pauses grow.
func TestCrashLoop(t *testing.T) {
	l := newLab(t)
	im := l.image("endless")
	wantKind(t, killed(t, l.restore(im)), sandbox.KindTrap)
	wantKind(t, killed(t, l.restore(im)), sandbox.KindTrap) // the first one is free
	im.mu.Lock()
	im.next = time.Now().Add(time.Hour) // so that no machine is too slow for the test
	im.mu.Unlock()
	_, err := im.Restore(t.Context())
	var crashed *CrashedError
	if !errors.As(err, &crashed) || crashed.Crashes != 2 || crashed.RetryAfter <= 0 {
		t.Fatalf("the third start: %v", err)
	}
	im.mu.Lock()
	im.next = time.Now()
	im.mu.Unlock()
	l.restore(im)
}

func TestPauses(t *testing.T) {
	var got []time.Duration
	for crashes := range 11 {
		got = append(got, pause(crashes))
	}
	ms := time.Millisecond
	want := []time.Duration{0, 0, 250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 8000 * ms, 16000 * ms, 30000 * ms, 30000 * ms}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestOneStartForMany asks for many instances of a worker that has ended.
func TestOneStartForMany(t *testing.T) {
	l := newLab(t)
	im := l.image("endless")
	wantKind(t, killed(t, l.restore(im)), sandbox.KindTrap)
	results := make(chan error)
	for range 20 {
		go func() {
			in, err := im.Restore(t.Context())
			if err == nil {
				err = in.Close()
			}
			results <- err
		}()
	}
	for range 20 {
		if err := received(t, results); err != nil {
			t.Error(err)
		}
	}
	if n := l.log.count("a worker process was started again"); n != 1 {
		t.Errorf("%d workers were started, want one", n)
	}
}

func TestClosedImage(t *testing.T) {
	l := newLab(t)
	im := l.image("echo")
	if err := errors.Join(im.Close(), im.Close()); err != nil {
		t.Error(err)
	}
	if _, err := im.Restore(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestNothingIsLeft counts processes and descriptors around a worker's life,
// its violent end included.
func TestNothingIsLeft(t *testing.T) {
	l := newLab(t)
	l.round(t) // whatever is opened once
	before := descriptors(t)
	for range 3 {
		l.round(t)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	if left := children(t); left != "" {
		t.Errorf("processes are left: %s", left)
	}
}

func (l *lab) round(t *testing.T) {
	t.Helper()
	im, err := Build(t.Context(), l.config("endless"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := im.Restore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := in.session.process
	wantKind(t, killed(t, in), sandbox.KindTrap)
	if err := errors.Join(in.Close(), im.Close()); err != nil {
		t.Error(err)
	}
	received(t, p.done)
	received(t, p.buried)
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func children(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		b, _ := os.ReadFile(f) // a thread may have ended
		all.Write(b)
	}
	return all.String()
}

func TestJobSurvivesTheWire(t *testing.T) {
	j := newLab(t).config("x").Job
	j.Tenant.Dir = "/srv/caf\xe9" // a path is bytes
	j.Tenant.Manifest.Env = map[string]string{"SECRET": "\xff"}
	j.Warmup = [][]byte{{0, 0, 0, 0}}
	j.Key = sandbox.NewKey([]byte("x"))
	b, err := j.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeJob(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&j, got); diff != "" {
		t.Error(diff)
	}
}
