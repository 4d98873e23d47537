//go:build linux

package wasi

import (
	"context"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasgi/wasgi/abi"
)

// FuzzSurface is FuzzCalls with better manners: two instances of one tenant call all functions with arguments that often
// make sense, so that states are reached which random numbers never reach. After it nothing outside the mount has
// changed, the books of both quotas say what is there, and every descriptor of the host is closed.
//
// A call is a byte for instance (the highest bit) and function, and one for each argument.
func FuzzSurface(f *testing.F) {
	module := surfaceModule(f)
	for _, seed := range surfaceSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 4000 {
			return
		}
		dir := hostTree(t)
		defer func() { must(t, os.RemoveAll(dir)) }()
		before, open := picture(t, dir, false), hostDescriptors(t)
		q := NewQuota(1<<16, 40)
		disk, err := WritableDir(dir+inside, q)
		must(t, err)
		var instances []*guest
		for range 2 {
			instances = append(instances, surfaceGuest(t, module, disk))
		}
		for len(script) > 0 {
			script = surfaceCall(t, instances[script[0]>>7], script)
		}
		for _, g := range instances {
			wantBooks(t, g.sandbox.mounts[2].fs.(*memory))
			must(t, g.sandbox.Close())
		}
		bytes, files, err := usageBelow(disk.(*writableDir).root)
		must(t, err)
		wantQuota(t, q, bytes, files)
		closeFS(t, disk)
		wantEqual(t, "descriptors of the host", hostDescriptors(t), open)
		if diff := cmp.Diff(before, picture(t, dir, false)); diff != "" {
			t.Errorf("changed outside:\n%s", diff)
		}
	})
}

func surfaceModule(f *testing.F) api.Module {
	f.Helper()
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	f.Cleanup(func() { _ = runtime.Close(ctx) })
	if _, err := Instantiate(ctx, runtime); err != nil {
		f.Fatal(err)
	}
	sandbox, err := Policy{}.NewSandbox()
	if err != nil {
		f.Fatal(err)
	}
	module, err := runtime.InstantiateWithConfig(sandbox.Context(ctx), wrapperModule(), ModuleConfig().WithName(""))
	if err != nil {
		f.Fatal(err)
	}
	return module
}

func surfaceGuest(t *testing.T, module api.Module, disk FS) *guest {
	t.Helper()
	sandbox, err := Policy{
		Mounts:       []Mount{mountOf("/app", testArchive(t)), mountOf("/data", disk), mountOf("/tmp", newMemory(1<<16, 40))},
		MaxOpenFiles: 12,
	}.NewSandbox()
	must(t, err)
	ctx, cancel := context.WithCancel(sandbox.Context(context.Background()))
	cancel() // so that no sleep is long
	return &guest{t: t, ctx: ctx, sandbox: sandbox, module: module}
}

// wantBooks recounts a Memory.
func wantBooks(t *testing.T, m *memory) {
	t.Helper()
	var blocks int64
	files := -1 // the root is not counted
	var count func(n *memoryNode)
	count = func(n *memoryNode) {
		files++
		blocks += int64(len(n.blocks))
		for name, child := range n.children {
			if child.parent != n || name == "" || strings.Contains(name, "/") {
				t.Errorf("%q is not in order", name)
			}
			count(child)
		}
	}
	count(m.root)
	usedBlocks, usedFiles := m.usage()
	if usedBlocks < blocks || usedFiles < files || usedBlocks > 16 || usedFiles > 40 { // removed and still open is counted too
		t.Errorf("memory has %d blocks and %d files, and counts %d and %d", blocks, files, usedBlocks, usedFiles)
	}
}

// surfaceShapes say what the arguments of a function are: f descriptor, p path (pointer, length), b buffer (pointer,
// length), v vectors (pointer, count), o pointer to a result, s size, position or time, n small number, r rights.
func surfaceShapes() map[string]string {
	return map[string]string{
		"fd_advise": "fssn", "fd_allocate": "fss", "fd_close": "f", "fd_datasync": "f", "fd_fdstat_get": "fo", "fd_fdstat_set_flags": "fn",
		"fd_filestat_get": "fo", "fd_filestat_set_size": "fs", "fd_filestat_set_times": "fssn", "fd_pread": "fvso", "fd_prestat_dir_name": "fb",
		"fd_prestat_get": "fo", "fd_pwrite": "fvso", "fd_read": "fvo", "fd_readdir": "fbso", "fd_renumber": "ff", "fd_seek": "fsno", "fd_sync": "f",
		"fd_tell": "fo", "fd_write": "fvo", "path_create_directory": "fp", "path_filestat_get": "fnpo", "path_filestat_set_times": "fnpssn",
		"path_link": "fnpfp", "path_open": "fnpnrrno", "path_readlink": "fpbo", "path_remove_directory": "fp", "path_rename": "fpfp",
		"path_symlink": "pfp", "path_unlink_file": "fp", "poll_oneoff": "oono", "random_get": "b",
		"args_get": "oo", "args_sizes_get": "oo", "environ_get": "oo", "environ_sizes_get": "oo",
		abi.FilesDup: "fno", abi.FilesDup2: "ff", abi.FilesCreateMode: "n", abi.FilesFdChmod: "fn", abi.FilesPathChmod: "fnpn",
		abi.FilesLock: "fnnsso", abi.FilesFlock: "fn",
	}
}

func surfacePaths() []string {
	return []string{
		"a", "b", "d", "d/a", "d/e", "d/e/f", "x.lock", "file", "sub", "sub/inner", "rel", "abs", "reldir/secret", "good", "gooddir/inner", "gooddir/new",
		"../secret", "/etc/passwd", "..", ".", "", "d/", "a/", "a/../b", "d/../..", "loop", "fifo", "device", "dangling", "usr/lib/os.py",
		strings.Repeat("n", MaxName+1), longPath(2*MaxDepth + 1), "x\x00y", "\xff", "sub/up", "sub/out/new", "d/e/../../a", "empty", "empty/a", "socket",
	}
}

// surfaceCall makes the first call of a script and returns the rest.
func surfaceCall(t *testing.T, g *guest, script []byte) []byte {
	t.Helper()
	all := ownFunctions()
	function := all[int(script[0]&0x7f)%len(all)]
	script = script[1:]
	next := func() byte {
		if len(script) == 0 {
			return 0
		}
		b := script[0]
		script = script[1:]
		return b
	}
	sizes := [...]uint64{0, 1, 5, 4095, 4096, 5000, 65535, 65536, 65537, 1 << 31, 1<<32 - 1, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1, 100}
	var args []uint64
	for i, shape := range surfaceShapes()[function.name] {
		b := next()
		switch shape {
		case 'f':
			args = append(args, uint64(b%18))
		case 'p':
			path := surfacePaths()[int(b)%len(surfacePaths())]
			at := uint32(4096 * (1 + i))
			g.module.Memory().WriteString(at, path)
			args = append(args, uint64(at), uint64(len(path)))
		case 'b':
			args = append(args, 65536, sizes[b%12]&0xffffffff)
		case 'v':
			for v := range uint32(4) {
				g.module.Memory().WriteUint64Le(32768+8*v, 65536|sizes[(int(b)+int(v))%9]<<32)
			}
			args = append(args, 32768, uint64(b%5))
		case 'o':
			args = append(args, [...]uint64{60000, 60008, 1<<32 - 4, 61001}[b%4])
		case 's':
			args = append(args, sizes[b%16])
		case 'n':
			args = append(args, uint64(b%17))
		default:
			args = append(args, [...]uint64{rightRead, rightWrite, bothRights, 0}[b%4])
		}
	}
	if _, err := g.module.ExportedFunction(function.name).Call(g.ctx, args...); err != nil {
		t.Fatalf("%s%v: %v", function.name, args, err)
	}
	return script
}

// surfaceSeeds are scripts that open, write, move and remove, in both instances.
func surfaceSeeds() [][]byte {
	index := map[string]byte{}
	for i, f := range ownFunctions() {
		index[f.name] = byte(i)
	}
	call := func(instance byte, name string, args ...byte) []byte {
		return append([]byte{instance<<7 | index[name]}, args...)
	}
	var script []byte
	for instance := range byte(2) {
		for _, mount := range []byte{4, 5} {
			script = join(script,
				call(instance, "path_create_directory", mount, 2), call(instance, "path_create_directory", mount, 6),
				call(instance, "path_open", mount, 1, 3, 1, 2, 2, 0, 0), call(instance, "fd_write", 6, 4, 0),
				call(instance, "fd_allocate", 6, 3, 3), call(instance, "fd_filestat_set_size", 6, 2), call(instance, "path_rename", mount, 3, mount, 0),
				call(instance, "fd_readdir", mount, 4, 0, 0), call(instance, "path_unlink_file", mount, 0), call(instance, "fd_pwrite", 6, 3, 5, 0),
				call(instance, "path_rename", mount, 2, mount, 4), call(instance, "fd_renumber", 6, 6),
				call(instance, abi.FilesLock, 6, 1, 1, 1, 2, 0), call(instance, abi.FilesDup, 6, 7, 0), call(instance, abi.FilesFlock, 7, 6),
				call(instance, abi.FilesLock, 7, 1, 2, 1, 1, 0), call(instance, abi.FilesDup2, 7, 1), call(instance, abi.FilesPathChmod, mount, 1, 4, 4),
				call(instance, abi.FilesFdChmod, 7, 16), call(instance, "fd_close", 6), call(instance, "fd_close", 7))
		}
	}
	return [][]byte{script, binary.LittleEndian.AppendUint64(nil, 0x8182838485868788)}
}
