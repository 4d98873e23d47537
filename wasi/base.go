package wasi

import (
	"io/fs"

	"github.com/tetratelabs/wazero/experimental/sys"
	wsys "github.com/tetratelabs/wazero/sys"
)

type (
	stat   = wsys.Stat_t
	fsMode = fs.FileMode

	// position is an offset in a file. wazero's Seek is not io.Seeker's, and go vet takes it for a mistake unless the
	// parameter goes by a name of its own.
	position = int64
)

func statOf(info fs.FileInfo) stat { return wsys.NewStat_t(info) }

// dirBase answers for an open directory what every directory answers.
type dirBase struct{ sys.UnimplementedFile }

func (dirBase) IsDir() (bool, sys.Errno)              { return true, 0 }
func (dirBase) SetAppend(bool) sys.Errno              { return sys.EISDIR }
func (dirBase) Read([]byte) (int, sys.Errno)          { return 0, sys.EISDIR }
func (dirBase) Pread([]byte, int64) (int, sys.Errno)  { return 0, sys.EISDIR }
func (dirBase) Write([]byte) (int, sys.Errno)         { return 0, sys.EISDIR }
func (dirBase) Pwrite([]byte, int64) (int, sys.Errno) { return 0, sys.EISDIR }
func (dirBase) Truncate(int64) sys.Errno              { return sys.EISDIR }

// readOnlyFS refuses every change with EROFS.
type readOnlyFS struct{ sys.UnimplementedFS }

func (readOnlyFS) Mkdir(string, fsMode) sys.Errno         { return sys.EROFS }
func (readOnlyFS) Chmod(string, fsMode) sys.Errno         { return sys.EROFS }
func (readOnlyFS) Rename(string, string) sys.Errno        { return sys.EROFS }
func (readOnlyFS) Rmdir(string) sys.Errno                 { return sys.EROFS }
func (readOnlyFS) Unlink(string) sys.Errno                { return sys.EROFS }
func (readOnlyFS) Link(string, string) sys.Errno          { return sys.EPERM }
func (readOnlyFS) Symlink(string, string) sys.Errno       { return sys.EPERM }
func (readOnlyFS) Utimens(string, int64, int64) sys.Errno { return sys.EROFS }

// refuseRemoval says of what Lstat found that it cannot be removed, or that it is not there: programs remove what may be
// missing, and look for ENOENT.
func refuseRemoval(_ stat, errno sys.Errno) sys.Errno {
	if errno != 0 {
		return errno
	}
	return sys.EROFS
}

// refuseMaking says of what Lstat found that it is there already, as Linux does even where nothing can be made.
func refuseMaking(_ stat, errno sys.Errno) sys.Errno {
	switch errno {
	case 0:
		return sys.EEXIST
	case sys.ENOENT:
		return sys.EROFS
	}
	return errno
}

// writes tells whether an open with these flags may change anything.
func writes(flag sys.Oflag) bool {
	return flag&(sys.O_RDWR|sys.O_WRONLY|sys.O_CREAT|sys.O_TRUNC|sys.O_APPEND) != 0
}

func canRead(flag sys.Oflag) bool  { return flag&sys.O_WRONLY == 0 }
func canWrite(flag sys.Oflag) bool { return flag&(sys.O_WRONLY|sys.O_RDWR) != 0 }
