package wasi

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// addSpecial makes what no guest can: a fifo, a socket and a device. Where a device needs a right that the test does
// not have, a second fifo stands for it: they are refused alike.
func addSpecial(t *testing.T, dir string) {
	t.Helper()
	must(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	must(t, unix.Mknod(filepath.Join(dir, "socket"), unix.S_IFSOCK|0o600, 0))
	err := unix.Mknod(filepath.Join(dir, "device"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3)))
	if os.IsPermission(err) {
		err = unix.Mkfifo(filepath.Join(dir, "device"), 0o600)
	}
	must(t, err)
}
