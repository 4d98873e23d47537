package wasi

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasgi/wasgi/abi"
)

// mode is what the guest sees of a path, or 0 with the bit for "known" missing.
func (g *guest) mode(fd uint64, p string) uint64 {
	g.t.Helper()
	ptr, length := g.path(p)
	at := g.space(fileStatSize)
	g.want(0, "path_filestat_get", fd, follow, ptr, length, at)
	return g.u64(at+16) >> 16
}

func known(mode fsMode) uint64 { return abi.FileModeKnown | uint64(mode) }

func (g *guest) chmod(want sys.Errno, fd uint64, p string, mode uint64) {
	g.t.Helper()
	ptr, length := g.path(p)
	g.want(want, abi.FilesPathChmod, fd, follow, ptr, length, mode)
}

// umask is the process's, which the files of the host are made with.
func umask() fsMode {
	mask := syscall.Umask(0)
	syscall.Umask(mask)
	return fsMode(mask)
}

func TestFilesAreMadeWithTheModeAskedFor(t *testing.T) {
	for mount, mask := range map[uint64]fsMode{dataFD: umask(), tmpFD: 0} {
		g := newGuest(t, testPolicy(t))
		g.want(0, abi.FilesCreateMode, 0o644)
		g.mustOpen(mount, "a", openCreate, bothRights, 0)
		g.mustOpen(mount, "b", openCreate, bothRights, 0)
		g.want(0, abi.FilesCreateMode, 0o7755)
		g.want(0, "path_create_directory", g.at(mount, "d")...)
		g.want(0, "path_create_directory", g.at(mount, "e")...)
		g.want(0, abi.FilesCreateMode, 0o666)
		g.wantOpen(sys.ENOENT, mount, "none", 0, rightRead)
		g.mustOpen(mount, "c", openCreate, bothRights, 0)
		for name, mode := range map[string]fsMode{"a": 0o644, "b": 0o600, "c": 0o600, "d": 0o755, "e": 0o700} {
			wantEqual(t, name, g.mode(mount, name), known(mode&^mask))
		}
	}
}

func TestModesOfWhatIsReadOnly(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "program"), nil, 0o700))
	must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	g := newGuest(t, Policy{Mounts: []Mount{mountOf("/app", readOnlyDirIn(t, dir)), mountOf("/", testArchive(t)), mountOf("/dev", Devices())}})
	for name, mode := range map[string]fsMode{"file": 0o644, "program": 0o755, "folder": 0o755, ".": 0o755} {
		wantEqual(t, name, g.mode(3, name), abi.FileModeMounted|known(mode))
		g.chmod(sys.EROFS, 3, name, 0o777)
	}
	fd := g.mustOpen(3, "file", 0, rightRead, 0)
	at := g.space(fileStatSize)
	g.want(0, "fd_filestat_get", fd, at)
	wantEqual(t, "open file", g.u64(at+16)>>16, abi.FileModeMounted|known(0o644))
	g.want(sys.EROFS, abi.FilesFdChmod, fd, 0o777)
	g.want(sys.EROFS, abi.FilesFdChmod, 3, 0o777)
	wantEqual(t, "archive's file", g.mode(4, "usr/lib/os.py"), abi.FileModeMounted|known(0o644))
	wantEqual(t, "archive's folder", g.mode(4, "usr"), abi.FileModeMounted|known(0o755))
	wantEqual(t, "device", g.mode(5, "null"), known(0o666))
	g.want(sys.EPERM, abi.FilesFdChmod, 1, 0o600)
	g.want(sys.EBADF, abi.FilesFdChmod, 99, 0o600)
}

func TestChmodIsKeptAndObeyed(t *testing.T) {
	for _, mount := range []uint64{dataFD, tmpFD} {
		g := newGuest(t, testPolicy(t))
		fd := g.mustOpen(mount, "a", openCreate, bothRights, 0)
		g.chmod(0, mount, "a", 0o7444)
		wantEqual(t, "mode", g.mode(mount, "a"), known(0o444))
		g.wantOpen(sys.EACCES, mount, "a", 0, bothRights)
		g.wantOpen(sys.EACCES, mount, "a", openTruncate, rightRead)
		g.wantOpen(sys.EACCES, mount, "a", openCreate, rightWrite)
		g.wantOpen(0, mount, "a", 0, rightRead)
		g.write(fd, "opened before")
		g.want(0, abi.FilesFdChmod, fd, 0o751)
		wantEqual(t, "mode", g.mode(mount, "a"), known(0o751))
		g.wantOpen(0, mount, "a", 0, bothRights)
		g.chmod(0, mount, "a", 0o070)
		wantEqual(t, "mode", g.mode(mount, "a"), known(0o070))
		g.want(0, "path_create_directory", g.at(mount, "d")...)
		g.chmod(0, mount, "d", 0o077)
		wantEqual(t, "mode of the folder", g.mode(mount, "d"), known(0o077))
		at := g.space(fileStatSize)
		g.want(0, "fd_filestat_get", fd, at)
		wantEqual(t, "mode of the open file", g.u64(at+16)>>16, known(0o070))
		g.wantOpen(sys.EACCES, mount, "a", 0, rightRead)
		g.chmod(sys.ENOENT, mount, "none", 0o600)
		g.chmod(sys.ENOTDIR, mount, "a/", 0o600)
	}
}

// TestHostKeepsAccess: the host reads and walks what a guest would hide from it.
func TestHostKeepsAccess(t *testing.T) {
	dir := t.TempDir()
	disk, _ := writableDirIn(t, dir, 1<<20, 100)
	g := newGuest(t, Policy{Mounts: []Mount{mountOf("/data", disk)}})
	g.mustOpen(3, "a", openCreate, bothRights, 0)
	g.want(0, "path_create_directory", g.at(3, "d")...)
	g.chmod(0, 3, "a", 0)
	g.chmod(0, 3, "d", 0)
	g.want(0, abi.FilesFdChmod, g.mustOpen(3, "d", openDirectory, rightRead, 0), 0o4000)
	g.chmod(0, 3, ".", 0)
	for name, mode := range map[string]fs.FileMode{"a": 0o400 | fs.ModeSticky, "d": fs.ModeDir | fs.ModeSticky | 0o500, ".": fs.ModeDir | fs.ModeSticky | 0o500} {
		info, err := os.Lstat(filepath.Join(dir, name))
		must(t, err)
		wantEqual(t, name, info.Mode(), mode)
	}
}

// TestDirectoryModesAreObeyed, by the kernel or for it where the host runs as root.
func TestDirectoryModesAreObeyed(t *testing.T) {
	disk, _ := writableDirIn(t, t.TempDir(), 1<<20, 100)
	for _, fsys := range []FS{disk, Memory(1<<20, 100)} {
		wantErrno(t, "mkdir", fsys.Mkdir("d", 0o700), 0)
		f, errno := fsys.OpenFile("d/a", sys.O_CREAT|sys.O_RDWR, 0o600)
		wantErrno(t, "create", errno, 0)
		wantErrno(t, "close", f.Close(), 0)
		wantErrno(t, "chmod", fsys.Chmod("d", 0o500), 0)
		st, errno := fsys.Stat("d")
		wantErrno(t, "stat", errno, 0)
		wantEqual(t, "mode", st.Mode, fs.ModeDir|0o500)
		_, errno = fsys.OpenFile("d/b", sys.O_CREAT|sys.O_RDWR, 0o600)
		wantErrno(t, "create without w", errno, sys.EACCES)
		wantErrno(t, "mkdir without w", fsys.Mkdir("d/e", 0o700), sys.EACCES)
		wantErrno(t, "unlink without w", fsys.Unlink("d/a"), sys.EACCES)
		wantErrno(t, "rename without w", fsys.Rename("d/a", "a"), sys.EACCES)
		wantErrno(t, "mkdir of what exists", fsys.Mkdir("d/a", 0o700), sys.EEXIST)
		wantErrno(t, "chmod without w", fsys.Chmod("d/a", 0o400), 0)
		f, errno = fsys.OpenFile("d/a", sys.O_CREAT|sys.O_RDONLY, 0o600)
		wantErrno(t, "open without w", errno, 0)
		wantErrno(t, "close", f.Close(), 0)
		wantErrno(t, "chmod", fsys.Chmod("d", 0o700), 0)
		wantErrno(t, "unlink", fsys.Unlink("d/a"), 0)
	}
}

// TestMemoryHidesWhatModesHide as the kernel does; a folder of the host can be read and walked always.
func TestMemoryHidesWhatModesHide(t *testing.T) {
	m := Memory(1<<20, 100)
	wantErrno(t, "mkdir", m.Mkdir("d", 0o700), 0)
	f, errno := m.OpenFile("d/a", sys.O_CREAT|sys.O_RDWR, 0o600)
	wantErrno(t, "create", errno, 0)
	wantErrno(t, "close", f.Close(), 0)
	wantErrno(t, "chmod", m.Chmod("d", 0o600), 0)
	_, errno = m.Stat("d/a")
	wantErrno(t, "stat without x", errno, sys.EACCES)
	_, errno = m.OpenFile("d/a", sys.O_RDONLY, 0)
	wantErrno(t, "open without x", errno, sys.EACCES)
	f, errno = m.OpenFile("d", sys.O_RDONLY|sys.O_DIRECTORY, 0)
	wantErrno(t, "list without x", errno, 0)
	wantErrno(t, "close", f.Close(), 0)
	wantErrno(t, "chmod", m.Chmod("d", 0o300), 0)
	_, errno = m.OpenFile("d", sys.O_RDONLY|sys.O_DIRECTORY, 0)
	wantErrno(t, "list without r", errno, sys.EACCES)
	wantErrno(t, "unlink", m.Unlink("d/a"), 0)
}
