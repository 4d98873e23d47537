package wasi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// TestDevices does with each device what programs do.
func TestDevices(t *testing.T) {
	zeros := fmt.Sprint(make([]byte, 4))
	for _, c := range []struct{ name, read, write string }{
		{"null", "0 [] 0", "3 0"},
		{"zero", "4 " + zeros + " 0", "3 0"},
		{"full", "4 " + zeros + " 0", "0 " + fmt.Sprint(ENOSPC)},
	} {
		f, errno := Devices().OpenFile(c.name, sys.O_RDWR|sys.O_CREAT|sys.O_TRUNC, 0o666)
		wantErrno(t, c.name, errno, 0)
		buf := []byte{1, 1, 1, 1}
		n, errno := f.Read(buf)
		wantEqual(t, c.name+" read", fmt.Sprint(n, buf[:n], uint32(errno)), c.read)
		n, errno = f.Write([]byte("abc"))
		if errno == 0 {
			wantEqual(t, c.name+" written", fmt.Sprint(n, 0), c.write)
		} else {
			wantEqual(t, c.name+" written", fmt.Sprint(n, " ", errno), c.write)
		}
		at, errno := f.Seek(7, 2)
		wantEqual(t, c.name+" position", fmt.Sprint(at, uint32(errno)), "0 0")
		wantErrno(t, c.name, f.Close(), 0)
		_, errno = f.Read(buf)
		wantErrno(t, "read of the closed "+c.name, errno, sys.EBADF)
	}
}

// TestRandomDevicesDiffer reads from both twice.
func TestRandomDevicesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"random", "urandom"} {
		f, errno := Devices().OpenFile(name, sys.O_RDONLY, 0)
		wantErrno(t, name, errno, 0)
		for range 2 {
			buf := make([]byte, 16)
			n, errno := f.Pread(buf, 5)
			wantEqual(t, name, fmt.Sprint(n, uint32(errno)), "16 0")
			seen[string(buf)] = true
		}
	}
	wantEqual(t, "different ones", len(seen), 4)
}

// TestOneReadOfADeviceIsShort: nothing interrupts it.
func TestOneReadOfADeviceIsShort(t *testing.T) {
	f, errno := Devices().OpenFile("urandom", sys.O_RDONLY, 0)
	wantErrno(t, "open", errno, 0)
	n, errno := f.Read(make([]byte, 3*deviceChunk))
	wantErrno(t, "read", errno, 0)
	wantEqual(t, "bytes", n, deviceChunk)
}

// TestDevicesCannotBeChanged tries each change.
func TestDevicesCannotBeChanged(t *testing.T) {
	d := Devices()
	for _, c := range []struct {
		what  string
		errno sys.Errno
		want  sys.Errno
	}{
		{"unlink", d.Unlink("null"), sys.EROFS},
		{"mkdir", d.Mkdir("x", 0o700), sys.EROFS},
		{"rename", d.Rename("null", "zero"), sys.EROFS},
		{"symlink", d.Symlink("null", "x"), sys.EPERM},
		{"create", opened(d, "x", sys.O_CREAT|sys.O_WRONLY), sys.EROFS},
		{"exclusive", opened(d, "null", sys.O_CREAT|sys.O_EXCL|sys.O_WRONLY), sys.EEXIST},
		{"absent", opened(d, "x", sys.O_RDONLY), sys.ENOENT},
		{"below", opened(d, "null/x", sys.O_RDONLY), sys.ENOTDIR},
		{"slash", opened(d, "null/", sys.O_RDONLY), sys.ENOTDIR},
		{"directory", opened(d, "null", sys.O_RDONLY|sys.O_DIRECTORY), sys.ENOTDIR},
		{"write to the directory", opened(d, ".", sys.O_WRONLY), sys.EISDIR},
		{"escape", opened(d, "../null", sys.O_RDONLY), sys.EPERM},
	} {
		wantErrno(t, c.what, c.errno, c.want)
	}
}

func opened(fsys FS, path string, flag sys.Oflag) sys.Errno {
	_, errno := fsys.OpenFile(path, flag, 0o666)
	return errno
}

// TestDevicesAreListed says what is there, and that it is no terminal.
func TestDevicesAreListed(t *testing.T) {
	dir, errno := Devices().OpenFile(".", sys.O_RDONLY|sys.O_DIRECTORY, 0)
	wantErrno(t, "open", errno, 0)
	entries, errno := dir.Readdir(-1)
	wantErrno(t, "readdir", errno, 0)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
		st, errno := Devices().Lstat(e.Name)
		wantErrno(t, e.Name, errno, 0)
		wantEqual(t, e.Name+" number", st.Ino, e.Ino)
		wantEqual(t, e.Name+" type", int(fileType(st.Mode)), typeCharacterDevice)
		base, _ := rights(st.Mode, sys.O_RDWR, false)
		wantEqual(t, e.Name+" can seek", base&rightSeek != 0, true)
	}
	wantEqual(t, "names", strings.Join(names, " "), "full null random urandom zero")
}
