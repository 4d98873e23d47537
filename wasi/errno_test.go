package wasi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

func TestErrnoOf(t *testing.T) {
	wrap := func(number syscall.Errno) error { return &os.PathError{Op: "openat", Path: "x", Err: number} }
	for _, tc := range []struct {
		err  error
		want sys.Errno
	}{
		{nil, 0},
		{io.EOF, 0},
		{wrap(syscall.ENOENT), sys.ENOENT},
		{fmt.Errorf("more: %w", wrap(syscall.ENOSPC)), ENOSPC},
		{wrap(syscall.EDQUOT), ENOSPC},
		{wrap(syscall.EFBIG), EFBIG},
		{wrap(syscall.EMFILE), ENFILE},
		{wrap(syscall.ENFILE), ENFILE},
		{wrap(syscall.EXDEV), EXDEV},
		{wrap(syscall.EBUSY), EBUSY},
		{wrap(syscall.EMLINK), EMLINK},
		{wrap(syscall.ESPIPE), ESPIPE},
		{wrap(syscall.ENXIO), sys.EACCES},
		{wrap(syscall.ENETDOWN), sys.EIO},
		{os.ErrClosed, sys.EBADF},
		{os.ErrInvalid, sys.EINVAL},
		{sys.ENOSYS, sys.ENOSYS},
		{&os.PathError{Op: "openat", Path: "x", Err: errors.New("path escapes from parent")}, sys.EPERM},
	} {
		if got := errnoOf(tc.err); got != tc.want {
			t.Errorf("errnoOf(%v) = %v, want %v", tc.err, got, tc.want)
		}
	}
}
