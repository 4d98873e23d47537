package wasi

import (
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

func TestPolicyIsChecked(t *testing.T) {
	tmp := mountOf("/tmp", Memory(1, 1))
	broken := Mount{Guest: "/data", Open: func() (FS, error) { return nil, errors.New("no such disk") }}
	for _, tc := range []struct {
		policy Policy
		want   string
	}{
		{Policy{Args: []string{"a\x00b"}}, `wasi: the argument "a\x00b" contains NUL: remove it`},
		{Policy{Env: []string{"A"}}, `wasi: environment entry 0 is not NAME=value`},
		{Policy{Env: []string{"A=1", "=x"}}, `wasi: environment entry 1 is not NAME=value`},
		{Policy{Env: []string{"A=secret\x00"}}, `wasi: the environment variable "A" contains NUL: remove it`},
		{Policy{Env: []string{"A=1", "A=2"}}, `wasi: the environment variable "A" is set twice: keep one`},
		{Policy{Mounts: []Mount{tmp, tmp}}, `wasi: /tmp is mounted twice: keep one`},
		{Policy{Mounts: []Mount{{Guest: "/x"}}}, `wasi: the mount /x has no Open function`},
		{Policy{Mounts: []Mount{mountOf("", nil)}}, `wasi: "" is not an absolute, clean path: cannot mount there`},
		{Policy{Mounts: []Mount{mountOf("x", nil)}}, `wasi: "x" is not an absolute, clean path: cannot mount there`},
		{Policy{Mounts: []Mount{mountOf("/x/", nil)}}, `wasi: "/x/" is not an absolute, clean path: cannot mount there`},
		{Policy{Mounts: []Mount{mountOf("/a/../b", nil)}}, `wasi: "/a/../b" is not an absolute, clean path: cannot mount there`},
		{Policy{Mounts: []Mount{mountOf("/a\x00", nil)}}, `wasi: "/a\x00" is not an absolute, clean path: cannot mount there`},
		{Policy{MaxOpenFiles: -1}, `wasi: MaxOpenFiles is -1: it must not be negative`},
		{Policy{Mounts: []Mount{broken}}, `wasi: opening the mount /data: no such disk`},
	} {
		_, err := tc.policy.NewSandbox()
		if err == nil || err.Error() != tc.want {
			t.Errorf("error is %v, want %s", err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error %q tells a value of the environment", err)
		}
	}
	if _, err := (Policy{Mounts: []Mount{mountOf("/", Memory(1, 1)), tmp}}).NewSandbox(); err != nil {
		t.Error(err)
	}
}

func TestGuestPaths(t *testing.T) {
	policy := Policy{Mounts: []Mount{mountOf("/", Memory(1<<20, 10)), mountOf("/tmp", Memory(1<<20, 10))}}
	g := newGuest(t, policy)
	g.want(0, "path_create_directory", g.at(3, "d")...)
	d := g.mustOpen(3, "d/", openDirectory, rightRead, 0)
	g.mustOpen(d, "f", openCreate, bothRights, 0)
	g.mustOpen(4, "./", openDirectory, rightRead, 0)
	wantEqual(t, "open files", g.sandbox.OpenFiles(), []string{"/d", "/d/f", "/tmp"})
}

func TestErrnoNumbers(t *testing.T) {
	// The numbers of wasi_snapshot_preview1's errno.
	for errno, want := range map[sys.Errno]uint32{
		0: 0, sys.EACCES: 2, sys.EAGAIN: 6, sys.EBADF: 8, EBUSY: 10, sys.EEXIST: 20, sys.EFAULT: 21, EFBIG: 22,
		EILSEQ: 25, sys.EINTR: 27, sys.EINVAL: 28, sys.EIO: 29, sys.EISDIR: 31, sys.ELOOP: 32, EMFILE: 33, EMLINK: 34,
		sys.ENAMETOOLONG: 37, ENFILE: 41, sys.ENOENT: 44, ENOSPC: 51, sys.ENOSYS: 52, sys.ENOTDIR: 54,
		sys.ENOTEMPTY: 55, sys.ENOTSOCK: 57, sys.ENOTSUP: 58, sys.EPERM: 63, sys.ERANGE: 68, sys.EROFS: 69, ESPIPE: 70,
		EXDEV: 75, 999: 29,
	} {
		if got := toWASI(errno); got != want {
			t.Errorf("toWASI(%v) = %d, want %d", errno, got, want)
		}
	}
}
