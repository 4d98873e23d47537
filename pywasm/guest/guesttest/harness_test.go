package guesttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/pywasm"
)

// The guest runs on plain wazero here, so that a fault of the guest and one of
// host/sandbox cannot hide each other.

type host struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
	root    fs.FS // the guest's root directory
}

// logged is one call of the import log.
type logged struct {
	level abi.LogLevel
	text  string
}

// call is one call of response_start (head set), log (log set) or
// response_write.
type call struct {
	head  *abi.ResponseHead
	log   *logged
	data  string
	last  bool
	flush bool
	asks  bool // whether the client is there
	file  *sentFile
}

// sentFile is one call of response_file.
type sentFile struct {
	fd            int32
	offset, limit int64
}

// exchange is what one request put in and what came out.
type exchange struct {
	body      io.Reader
	goneAfter int // the client goes at this response_write; 0: never
	started   bool
	writes    int

	status abi.Status
	calls  []call
}

func (x *exchange) logs() (all []logged) {
	for _, c := range x.calls {
		if c.log != nil {
			all = append(all, *c.log)
		}
	}
	return all
}

type exchangeKey struct{}

// console keeps each write to stdout and stderr.
type console struct{ writes []string }

func (c *console) Write(b []byte) (int, error) {
	c.writes = append(c.writes, string(b))
	return len(b), nil
}

func (c *console) String() string { return strings.Join(c.writes, "") }

type instance struct {
	t      testing.TB
	module api.Module
	stdout *console
	boot   *exchange // what was logged outside of requests
}

var theHost = sync.OnceValues(newHost)

func newHost() (*host, error) {
	code, root, err := artifact()
	if err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	compiled, err := wazero.NewCompilationCacheWithDir(filepath.Join(cache, "wasgi", "guest-test"))
	if err != nil {
		return nil, err
	}
	ctx := experimental.WithCompilationWorkers(context.Background(), 2)
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCompilationCache(compiled))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return nil, err
	}
	if err := instantiateImports(ctx, runtime); err != nil {
		return nil, err
	}
	if err := instantiateSockets(ctx, runtime); err != nil {
		return nil, err
	}
	module, err := runtime.CompileModule(ctx, code)
	return &host{runtime, module, root}, err
}

// artifact is the built guest; WASGI_GUEST_WASM and WASGI_GUEST_ROOT, a file
// and a folder, take its place while the guest itself is worked on.
func artifact() (code []byte, root fs.FS, err error) {
	if file, dir := os.Getenv("WASGI_GUEST_WASM"), os.Getenv("WASGI_GUEST_ROOT"); file != "" && dir != "" {
		code, err = os.ReadFile(file)
		return code, os.DirFS(dir), err
	}
	a, err := pywasm.Load()
	if err != nil {
		return nil, nil, err
	}
	return a.Wasm(), a.RootFS(), nil
}

// start boots an interpreter whose /app is testdata/apps.
func start(t testing.TB, mode string, args ...string) *instance {
	t.Helper()
	in, status := tryStart(t, abi.Boot{Mode: mode, Args: args, Paths: []string{"/app"}, Cwd: "/app"}, nil)
	if status != abi.StatusOK {
		t.Fatalf("boot: %v\n%v%s", status, in.boot.logs(), in.stdout)
	}
	return in
}

func tryStart(t testing.TB, boot abi.Boot, env map[string]string) (*instance, abi.Status) {
	t.Helper()
	h, err := theHost()
	if errors.Is(err, pywasm.ErrMissing) {
		t.Skip("the guest is not built: run `make guest`")
	}
	if err != nil {
		t.Fatal(err)
	}
	in := &instance{t: t, stdout: &console{}, boot: &exchange{}}
	ctx := in.context(in.boot)
	files := wazero.NewFSConfig().WithFSMount(h.root, "/").
		WithReadOnlyDirMount(testdata(t), "/app").WithDirMount(t.TempDir(), "/tmp")
	config := wazero.NewModuleConfig().WithName("").WithArgs("python").WithStartFunctions("_initialize").
		WithStdout(in.stdout).WithStderr(in.stdout).WithFSConfig(files).
		WithSysNanotime().WithSysWalltime().WithRandSource(rand.Reader)
	for k, v := range env {
		config = config.WithEnv(k, v)
	}
	in.module, err = h.runtime.InstantiateModule(ctx, h.module, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.module.Close(context.WithoutCancel(ctx)) })
	message, err := boot.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return in, in.message(ctx, abi.ExportBoot, message)
}

func testdata(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("WASGI_GUEST_APPS"); dir != "" {
		return dir
	}
	dir, err := filepath.Abs(filepath.Join("testdata", "apps"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func (in *instance) context(x *exchange) context.Context {
	return context.WithValue(in.t.Context(), exchangeKey{}, x)
}

// message puts b into the guest's buffer and calls the export with its length.
func (in *instance) message(ctx context.Context, export string, b []byte) abi.Status {
	in.t.Helper()
	ptr, err := in.module.ExportedFunction(abi.ExportAlloc).Call(ctx, uint64(len(b)))
	if err != nil {
		in.t.Fatal(err)
	}
	if !in.module.Memory().Write(uint32(ptr[0]), b) || ptr[0] == 0 {
		in.t.Fatalf("wasgi_alloc(%d) = %#x", len(b), ptr[0])
	}
	return abi.Status(in.call(ctx, export, uint64(len(b))))
}

func (in *instance) call(ctx context.Context, export string, args ...uint64) int32 {
	in.t.Helper()
	got, err := in.module.ExportedFunction(export).Call(ctx, args...)
	if err != nil {
		in.t.Fatalf("%s: %v\n%s", export, err, in.stdout)
	}
	return int32(got[0])
}

// exit calls an export that may leave through proc_exit, as sys.exit does.
func (in *instance) exit(export string) int32 {
	in.t.Helper()
	got, err := in.module.ExportedFunction(export).Call(in.context(in.boot))
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return int32(exit.ExitCode())
	}
	if err != nil {
		in.t.Fatalf("%s: %v\n%s", export, err, in.stdout)
	}
	return int32(got[0])
}

// load imports the application and fails the test when that fails.
func (in *instance) load(entry string) {
	in.t.Helper()
	if status, logs := in.tryLoad(entry); status != abi.StatusOK {
		in.t.Fatalf("load: %v\n%v\n%s", status, logs, in.stdout)
	}
}

func (in *instance) tryLoad(entry string) (abi.Status, []logged) {
	in.t.Helper()
	x := &exchange{}
	message, err := abi.Load{Entry: entry, Environ: []abi.Pair{
		{Key: "SERVER_SOFTWARE", Value: "wasgi/test"}, {Key: "X_EQUALS", Value: "a=b"}}}.Encode()
	if err != nil {
		in.t.Fatal(err)
	}
	return in.message(in.context(x), abi.ExportLoad, message), x.logs()
}

// environ is a request for path; more are further variables.
func environ(t testing.TB, method, path string, more ...abi.Pair) []byte {
	t.Helper()
	numbers := abi.KeyNumbers()
	var e abi.Environ
	for _, p := range append([]abi.Pair{
		{Key: "REQUEST_METHOD", Value: method}, {Key: "SCRIPT_NAME"}, {Key: "PATH_INFO", Value: path},
		{Key: "QUERY_STRING"}, {Key: "SERVER_NAME", Value: "localhost"}, {Key: "SERVER_PORT", Value: "8000"},
		{Key: "SERVER_PROTOCOL", Value: "HTTP/1.1"}, {Key: "REMOTE_ADDR", Value: "127.0.0.1"},
		{Key: "wsgi.url_scheme", Value: "http"}, {Key: "HTTP_HOST", Value: "localhost:8000"},
		{Key: "HTTP_USER_AGENT", Value: "curl/8"}, {Key: "HTTP_ACCEPT", Value: "*/*"},
	}, more...) {
		e.Add(numbers, p.Key, p.Value)
	}
	b, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b)
}

// handle serves the request that x describes and fills in the rest of x.
func (in *instance) handle(message []byte, x *exchange) *exchange {
	in.t.Helper()
	x.status = in.message(in.context(x), abi.ExportHandle, message)
	return x
}

func (in *instance) get(path string) *exchange {
	in.t.Helper()
	return in.handle(environ(in.t, "GET", path), &exchange{})
}
