package wasi

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// TestSpecialFilesAreNotOpened would hang if the open of a fifo waited for its other end.
func TestSpecialFilesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	must(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	listener, err := net.Listen("unix", filepath.Join(dir, "socket"))
	must(t, err)
	defer func() { _ = listener.Close() }()
	special := []string{"fifo", "socket"}
	err = unix.Mknod(filepath.Join(dir, "null"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3)))
	if err == nil {
		special = append(special, "null")
	} else if !errors.Is(err, os.ErrPermission) {
		t.Fatal(err)
	}
	writable, q := writableDirIn(t, dir, 1<<20, 100)
	for _, path := range special {
		for kind, fsys := range map[string]FS{"read-only": readOnlyDirIn(t, dir), "writable": writable} {
			_, errno := fsys.OpenFile(path, sys.O_RDONLY, 0)
			wantErrno(t, kind+" open "+path, errno, sys.EACCES)
		}
		for _, flag := range []sys.Oflag{sys.O_WRONLY, sys.O_RDWR, sys.O_CREAT | sys.O_RDWR, sys.O_TRUNC} {
			_, errno := writable.OpenFile(path, flag, 0o600)
			wantErrno(t, "open "+path, errno, sys.EACCES)
		}
		wantErrno(t, "utimens "+path, writable.Utimens(path, 0, 0), sys.EACCES)
	}
	wantEqual(t, "files open", len(q.open), 0)
}
