package wasi

import (
	"math"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// TestAFailedWriteCountsNothing: where the disk takes no byte, as when it is
// full, the file is as long as before. The offset is one that file systems with
// 4 KiB blocks refuse; one that takes it must agree with the quota just the same.
func TestAFailedWriteCountsNothing(t *testing.T) {
	q := NewQuota(math.MaxInt64, 10)
	fsys, err := WritableDir(t.TempDir(), q)
	if err != nil {
		t.Fatal(err)
	}
	f, errno := fsys.OpenFile("file", sys.O_RDWR|sys.O_CREAT, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	defer f.Close()
	if _, errno := f.Pwrite([]byte("x"), 1<<60); errno == 0 {
		t.Log("this file system takes the offset")
	}
	st, errno := f.Stat()
	if errno != 0 {
		t.Fatal(errno)
	}
	if bytes, files := q.Usage(); bytes != st.Size || files != 1 {
		t.Errorf("%d bytes of %d files are counted, want %d of 1", bytes, files, st.Size)
	}
}
