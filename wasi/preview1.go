package wasi

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// ModuleName is the module whose functions Instantiate exports.
const ModuleName = wasi_snapshot_preview1.ModuleName

// Instantiate gives the runtime the modules wasi_snapshot_preview1, abi.FilesModule and abi.SocketModule, once for all
// instances. What has to do with files, arguments, environment, waiting or random bytes is this package's own and works on the Sandbox in the context of the
// call; clocks and exit are wazero's and follow ModuleConfig. Why, is in DESIGN.md.
func Instantiate(ctx context.Context, r wazero.Runtime) (api.Closer, error) {
	builder := r.NewHostModuleBuilder(ModuleName)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(builder)
	export(builder, functions())
	module, err := builder.Instantiate(ctx)
	if err != nil {
		return nil, fmt.Errorf("wasi: instantiating %s: %w", ModuleName, err)
	}
	return module, instantiateExtensions(ctx, r)
}

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

type hostFunction struct {
	name   string
	code   preview1
	params []api.ValueType
}

func functions() []hostFunction {
	params := func(types ...api.ValueType) []api.ValueType { return types }
	return []hostFunction{
		{"fd_advise", fdAdvise, params(i32, i64, i64, i32)},
		{"fd_allocate", fdAllocate, params(i32, i64, i64)},
		{"fd_close", fdClose, params(i32)},
		{"fd_datasync", fdDatasync, params(i32)},
		{"fd_fdstat_get", fdFdstatGet, params(i32, i32)},
		{"fd_fdstat_set_flags", fdFdstatSetFlags, params(i32, i32)},
		{"fd_filestat_get", fdFilestatGet, params(i32, i32)},
		{"fd_filestat_set_size", fdFilestatSetSize, params(i32, i64)},
		{"fd_filestat_set_times", fdFilestatSetTimes, params(i32, i64, i64, i32)},
		{"fd_pread", fdPread, params(i32, i32, i32, i64, i32)},
		{"fd_prestat_dir_name", fdPrestatDirName, params(i32, i32, i32)},
		{"fd_prestat_get", fdPrestatGet, params(i32, i32)},
		{"fd_pwrite", fdPwrite, params(i32, i32, i32, i64, i32)},
		{"fd_read", fdRead, params(i32, i32, i32, i32)},
		{"fd_readdir", fdReaddir, params(i32, i32, i32, i64, i32)},
		{"fd_renumber", fdRenumber, params(i32, i32)},
		{"fd_seek", fdSeek, params(i32, i64, i32, i32)},
		{"fd_sync", fdSync, params(i32)},
		{"fd_tell", fdTell, params(i32, i32)},
		{"fd_write", fdWrite, params(i32, i32, i32, i32)},
		{"path_create_directory", pathCreateDirectory, params(i32, i32, i32)},
		{"path_filestat_get", pathFilestatGet, params(i32, i32, i32, i32, i32)},
		{"path_filestat_set_times", pathFilestatSetTimes, params(i32, i32, i32, i32, i64, i64, i32)},
		{"path_link", pathLink, params(i32, i32, i32, i32, i32, i32, i32)},
		{"path_open", pathOpen, params(i32, i32, i32, i32, i32, i64, i64, i32, i32)},
		{"path_readlink", pathReadlink, params(i32, i32, i32, i32, i32, i32)},
		{"path_remove_directory", pathRemoveDirectory, params(i32, i32, i32)},
		{"path_rename", pathRename, params(i32, i32, i32, i32, i32, i32)},
		{"path_symlink", pathSymlink, params(i32, i32, i32, i32, i32)},
		{"path_unlink_file", pathUnlinkFile, params(i32, i32, i32)},
		{"poll_oneoff", pollOneoff, params(i32, i32, i32, i32)},
		{"random_get", randomGet, params(i32, i32)},
		{"args_get", argsGet, params(i32, i32)},
		{"args_sizes_get", argsSizesGet, params(i32, i32)},
		{"environ_get", environGet, params(i32, i32)},
		{"environ_sizes_get", environSizesGet, params(i32, i32)},
	}
}

// guestCall is one call of a guest: its sandbox, its memory, its arguments.
type guestCall struct {
	*Sandbox
	ctx  context.Context
	mem  api.Memory
	args []uint64
}

func (c guestCall) u32(i int) uint32 { return uint32(c.args[i]) }

// preview1 is a WASI function: all of them return an error number.
type preview1 func(guestCall) sys.Errno

// Call implements api.GoModuleFunction.
func (f preview1) Call(ctx context.Context, mod api.Module, stack []uint64) {
	s, begun := fromContext(ctx), time.Now()
	errno := f(guestCall{s, ctx, mod.Memory(), stack})
	stack[0] = uint64(toWASI(errno))
	s.took(time.Since(begun))
}

// bytes is the guest's memory from ptr on, in place. It is void as soon as the guest runs again.
func (c guestCall) bytes(ptr, length uint32) ([]byte, sys.Errno) {
	b, ok := c.mem.Read(ptr, length)
	if !ok {
		return nil, sys.EFAULT
	}
	return b, 0
}

func (c guestCall) putU32(ptr, value uint32) sys.Errno {
	if !c.mem.WriteUint32Le(ptr, value) {
		return sys.EFAULT
	}
	return 0
}

func (c guestCall) putU64(ptr uint32, value uint64) sys.Errno {
	if !c.mem.WriteUint64Le(ptr, value) {
		return sys.EFAULT
	}
	return 0
}

// location is a path of the guest, resolved to a mount.
type location struct {
	*mount
	path string // clean; "/" follows it where only a directory will do
}

// locate resolves the path at ptr relative to the open directory fd. The length is checked before anything is copied,
// and the path may not rise above fd, even within the mount; above the root of a mount it is what the guest's tree has
// there.
func (c guestCall) locate(fd, ptr, length uint32) (location, sys.Errno) {
	d, errno := c.files.get(fd)
	switch {
	case errno != 0:
		return location{}, errno
	case !d.dir:
		return location{}, sys.ENOTDIR
	case length > MaxPath:
		return location{}, sys.ENAMETOOLONG
	}
	b, errno := c.bytes(ptr, length)
	if errno != 0 {
		return location{}, errno
	}
	name, dir, errno := parsePath(string(b))
	m := d.mount
	switch {
	case errno == sys.EPERM && d.fixed:
		m, name, dir, errno = c.rise(m, string(b))
	case errno == 0:
		name = joinPath(d.path, name)
	}
	if errno != 0 {
		return location{}, errno
	}
	if dir {
		name += "/"
	}
	if _, ok := m.fs.(*writableDir); ok {
		c.used = true
	}
	return location{m, name}, 0
}

const fileStatSize = 64

// putStat writes a filestat. The device is the number of the mount: the host's own tells the guest nothing it needs.
func (c guestCall) putStat(ptr uint32, m *mount, st stat) sys.Errno {
	b, errno := c.bytes(ptr, fileStatSize)
	if errno != 0 {
		return errno
	}
	var dev uint64
	if m != nil {
		dev = m.dev
	}
	for i, v := range [...]uint64{
		dev, st.Ino, uint64(fileType(st.Mode)) | modeBits(st.Mode), st.Nlink, uint64(st.Size),
		uint64(st.Atim), uint64(st.Mtim), uint64(st.Ctim),
	} {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	return 0
}
