package wasi

import (
	"context"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasgi/wasgi/abi"
)

// guest is a module with a memory and, for each WASI function, an export that calls it with its own arguments. What is
// tested through it takes the same way as a call of CPython.
type guest struct {
	t       *testing.T
	ctx     context.Context
	sandbox *Sandbox
	module  api.Module
	next    uint32
}

const guestPages = 32

func newGuest(t *testing.T, policy Policy) *guest {
	t.Helper()
	sandbox, err := policy.NewSandbox()
	must(t, err)
	t.Cleanup(func() { must(t, sandbox.Close()) })
	runtime := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { must(t, runtime.Close(context.Background())) })
	_, err = Instantiate(t.Context(), runtime)
	must(t, err)
	g := &guest{t: t, ctx: sandbox.Context(t.Context()), sandbox: sandbox, next: 8}
	g.module, err = runtime.InstantiateWithConfig(g.ctx, wrapperModule(), ModuleConfig().WithName(""))
	must(t, err)
	return g
}

// ownFunctions are those of this package, of both modules.
func ownFunctions() []hostFunction { return append(functions(), extensions()...) }

// moduleOf is the module that has a function.
func moduleOf(name string) string {
	for _, f := range extensions() {
		if f.name == name {
			return abi.FilesModule
		}
	}
	return ModuleName
}

// imported are the functions of Instantiate and those of wazero that it keeps.
func imported() []hostFunction {
	all := ownFunctions()
	for name, params := range map[string][]api.ValueType{
		"clock_time_get": {i32, i64, i32}, "clock_res_get": {i32, i32}, "sched_yield": {},
		"sock_accept": {i32, i32, i32}, "sock_shutdown": {i32, i32},
	} {
		all = append(all, hostFunction{name: name, params: params})
	}
	for _, f := range socketFunctions() { // exported as "socket.open"
		all = append(all, hostFunction{name: socketPrefix + f.name, params: f.params})
	}
	return all
}

const socketPrefix = "socket."

// home is the module and the name by which a function is imported.
func (f hostFunction) home() (module, name string) {
	if name, ok := strings.CutPrefix(f.name, socketPrefix); ok {
		return abi.SocketModule, name
	}
	return moduleOf(f.name), f.name
}

func wrapperModule() []byte {
	all := imported()
	var types, imports, funcs, exports, code [][]byte
	for i, f := range all {
		types = append(types, join([]byte{0x60}, vector(f.params), []byte{1, i32}))
		module, function := f.home()
		imports = append(imports, join(name(module), name(function), []byte{0}, uleb(i)))
		funcs = append(funcs, uleb(i))
		exports = append(exports, join(name(f.name), []byte{0}, uleb(len(all)+i)))
		body := []byte{0}
		for p := range f.params {
			body = append(append(body, 0x20), uleb(p)...)
		}
		body = join(body, []byte{0x10}, uleb(i), []byte{0x0b})
		code = append(code, vector(body))
	}
	exports = append(exports, join(name("memory"), []byte{2, 0}))
	memory := [][]byte{{0, guestPages}}
	return join([]byte("\x00asm\x01\x00\x00\x00"), section(1, types), section(2, imports), section(3, funcs),
		section(5, memory), section(7, exports), section(10, code))
}

func uleb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func vector(b []byte) []byte { return append(uleb(len(b)), b...) }

func name(s string) []byte { return vector([]byte(s)) }

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func section(id byte, items [][]byte) []byte {
	return join([]byte{id}, vector(join(uleb(len(items)), join(items...))))
}

// call returns the number that the guest sees.
func (g *guest) call(function string, args ...uint64) uint32 {
	g.t.Helper()
	results, err := g.module.ExportedFunction(function).Call(g.ctx, args...)
	if err != nil {
		g.t.Fatalf("%s: %v", function, err)
	}
	return uint32(results[0])
}

func (g *guest) want(want sys.Errno, function string, args ...uint64) {
	g.t.Helper()
	if got := g.call(function, args...); got != toWASI(want) {
		g.t.Fatalf("%s%v = %d, want %d (%v)", function, args, got, toWASI(want), want)
	}
}

// put stores data at a free place of the guest's memory.
func (g *guest) put(data []byte) uint64 {
	g.t.Helper()
	at := g.next
	g.next += (uint32(len(data)) + 15) &^ 7
	if !g.module.Memory().Write(at, data) {
		g.t.Fatal("the guest's memory is full")
	}
	return uint64(at)
}

func (g *guest) space(size int) uint64 { return g.put(make([]byte, size)) }

func (g *guest) bytes(at uint64, size uint32) []byte {
	g.t.Helper()
	b, ok := g.module.Memory().Read(uint32(at), size)
	if !ok {
		g.t.Fatalf("no memory at %d", at)
	}
	return b
}

func (g *guest) u32(at uint64) uint32 { return binary.LittleEndian.Uint32(g.bytes(at, 4)) }
func (g *guest) u64(at uint64) uint64 { return binary.LittleEndian.Uint64(g.bytes(at, 8)) }

// path returns the two arguments of a path.
func (g *guest) path(p string) (ptr, length uint64) { return g.put([]byte(p)), uint64(len(p)) }

// at returns a directory's descriptor and a path, the arguments that most functions begin with.
func (g *guest) at(fd uint64, p string, more ...uint64) []uint64 {
	ptr, length := g.path(p)
	return append([]uint64{fd, ptr, length}, more...)
}

// vectors stores an iovec for each size and returns the arguments for it.
func (g *guest) vectors(bufs ...uint64) []uint64 {
	var list []byte
	for i := 0; i < len(bufs); i += 2 {
		list = binary.LittleEndian.AppendUint32(list, uint32(bufs[i]))
		list = binary.LittleEndian.AppendUint32(list, uint32(bufs[i+1]))
	}
	return []uint64{g.put(list), uint64(len(bufs) / 2)}
}

const (
	bothRights = rightRead | rightWrite
	follow     = followLinks
)

// open opens a file and returns what the guest sees: the number of the error and the descriptor.
func (g *guest) open(fd uint64, p string, oflags, rights, fdflags uint64) (uint32, uint64) {
	g.t.Helper()
	ptr, length := g.path(p)
	result := g.space(4)
	number := g.call("path_open", fd, follow, ptr, length, oflags, rights, rights, fdflags, result)
	return number, uint64(g.u32(result))
}

func (g *guest) mustOpen(fd uint64, p string, oflags, rights, fdflags uint64) uint64 {
	g.t.Helper()
	number, opened := g.open(fd, p, oflags, rights, fdflags)
	if number != 0 {
		g.t.Fatalf("path_open %s = %d", p, number)
	}
	return opened
}

func (g *guest) wantOpen(want sys.Errno, fd uint64, p string, oflags, rights uint64) {
	g.t.Helper()
	if number, _ := g.open(fd, p, oflags, rights, 0); number != toWASI(want) {
		g.t.Fatalf("path_open %.40q = %d, want %d (%v)", p, number, toWASI(want), want)
	}
}

func (g *guest) write(fd uint64, data string) {
	g.t.Helper()
	result := g.space(4)
	args := append([]uint64{fd}, g.vectors(g.put([]byte(data)), uint64(len(data)))...)
	g.want(0, "fd_write", append(args, result)...)
	if n := g.u32(result); n != uint32(len(data)) {
		g.t.Fatalf("fd_write wrote %d of %d bytes", n, len(data))
	}
}

func (g *guest) read(fd uint64, size int) string {
	g.t.Helper()
	result, buf := g.space(4), g.space(size)
	args := append([]uint64{fd}, g.vectors(buf, uint64(size))...)
	g.want(0, "fd_read", append(args, result)...)
	return string(g.bytes(buf, g.u32(result)))
}

// list reads a directory with a buffer of the given size.
func (g *guest) list(fd uint64, size int) []string {
	g.t.Helper()
	buf, result := g.space(size), g.space(4)
	var names []string
	for cookie := uint64(0); ; {
		g.want(0, "fd_readdir", fd, buf, uint64(size), cookie, result)
		data := g.bytes(buf, g.u32(result))
		full := len(data) == size
		progress := false
		for len(data) >= direntSize {
			length := binary.LittleEndian.Uint32(data[16:])
			if uint32(len(data)) < direntSize+length {
				break
			}
			cookie, progress = binary.LittleEndian.Uint64(data), true
			names = append(names, string(data[direntSize:direntSize+length]))
			data = data[direntSize+length:]
		}
		switch {
		case !full:
			return names
		case !progress:
			g.t.Fatalf("no entry fits into %d bytes", size)
		}
	}
}

// longPath is a path of n bytes.
func longPath(n int) string { return strings.Repeat("x/", n/2+1)[:n] }
