package bytecode

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/wasi"
)

//go:embed compiler.py
var program []byte

// Limits of one source, and of the byte code of one folder: no application's, but
// the host's memory and disk are finite all the same.
const (
	maxSource = 16 << 20
	maxCode   = 64 << 20
	maxTotal  = 4 << 30
	maxMemory = 512 << 20 // of the interpreter that compiles
	// patience is the time for one source. CPython's own longest, a million lines of
	// a table, takes two seconds.
	patience = 20 * time.Second
)

// moduleDir is where the guest sees compiler.py.
const moduleDir = "/bytecode"

// Compiler makes byte code. It is safe for concurrent use.
type Compiler struct {
	Sandbox *sandbox.Engine
	Root    wasi.FS // the guest's root file system
	Cache   Cache
	Image   string // file for the compiler's snapshot, "" for memory
	Log     *slog.Logger
	// Owner has byte code of its own in the cache, which nobody else is given; "" is
	// everybody. What lies in a folder that changes may be a tenant's secret: who guesses
	// a text must not learn from the cache that another one has it.
	Owner string
	// Memory is what the interpreters that compile take of; nil is no limit but
	// their own. A source that it is too small for has no byte code.
	Memory *sandbox.Budget
}

// image is the interpreter that has compiled one line and nothing of anybody.
func (c Compiler) image(ctx context.Context) (*sandbox.Image, error) {
	files, err := policy.OneFile("compiler.py", program)
	if err != nil {
		return nil, err
	}
	environ, err := environOf("/warm.py", len(sample))
	if err != nil {
		return nil, err
	}
	spec := sandbox.Spec{
		Name: "bytecode", MemoryLimit: maxMemory, Budget: c.Memory,
		Policy: wasi.Policy{
			Mounts: []wasi.Mount{policy.Shared("/", c.Root), policy.Shared(moduleDir, files)},
			Env:    []string{"LANG=C.UTF-8"},
		},
		Boot:   abi.Boot{Args: []string{"bytecode"}, Paths: []string{moduleDir}, Cwd: "/"},
		Load:   abi.Load{Entry: "compiler:application"},
		Warmup: []sandbox.Request{{Environ: environ, Body: bytes.NewReader([]byte(sample))}},
	}
	if c.Image == "" {
		return c.Sandbox.Build(ctx, spec)
	}
	guest := c.Sandbox.Digest()
	return c.Sandbox.BuildStored(ctx, spec, filepath.Clean(c.Image), sandbox.NewKey(guest[:], program))
}

// sample has the compiler's usual ways walked once before the snapshot.
const sample = "import os\n\n\nclass A:\n    def b(self, *c, d=1, **e):\n        return [f for f in c if f], {**e}, f'{d!r}'\n"

// environOf is the request for the source of a path.
func environOf(path string, length int) ([]byte, error) {
	numbers := abi.KeyNumbers()
	var e abi.Environ
	for _, p := range []abi.Pair{
		{Key: "REQUEST_METHOD", Value: "POST"}, {Key: "SCRIPT_NAME", Value: ""}, {Key: "PATH_INFO", Value: path},
		{Key: "QUERY_STRING", Value: ""}, {Key: "SERVER_NAME", Value: "localhost"}, {Key: "SERVER_PORT", Value: "80"},
		{Key: "SERVER_PROTOCOL", Value: "HTTP/1.1"}, {Key: "wsgi.url_scheme", Value: "http"},
		{Key: "CONTENT_LENGTH", Value: fmt.Sprint(length)},
	} {
		e.Add(numbers, p.Key, p.Value)
	}
	b, err := e.Bytes()
	return bytes.Clone(b), err
}

// keyOf digests all that byte code depends on, each with its length. The error is that
// of a source which cannot be read, or does not have size bytes.
func (c Compiler) keyOf(path string, source io.Reader, size int64) (key, error) {
	h := sha256.New()
	guest := c.Sandbox.Digest()
	for _, part := range [][]byte{guest[:], program, []byte(c.Owner), []byte(path)} {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(size)))
	n, err := copyTo(h, source)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	return key(h.Sum(nil)), err
}
