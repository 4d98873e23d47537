package wasi

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

type zipEntry struct {
	name    string
	content string
	method  uint16
	mode    fs.FileMode
}

var zipTime = time.Date(2025, 1, 2, 3, 4, 6, 0, time.UTC)

func zipBytes(t testing.TB, entries ...zipEntry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: e.method, Modified: zipTime}
		if e.mode != 0 {
			header.SetMode(e.mode)
		}
		f, err := w.CreateHeader(header)
		if err == nil {
			_, err = f.Write([]byte(e.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zipReader(t testing.TB, data []byte) *zip.Reader {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newArchive(t testing.TB, entries ...zipEntry) *archive {
	t.Helper()
	fsys, err := Archive(zipReader(t, zipBytes(t, entries...)))
	if err != nil {
		t.Fatal(err)
	}
	return fsys.(*archive)
}

func testArchive(t testing.TB) *archive {
	return newArchive(t,
		zipEntry{name: "usr/lib/os.py", content: strings.Repeat("import sys\n", 1000), method: zip.Deflate},
		zipEntry{name: "usr/lib/stored.py", content: "stored as it is", method: zip.Store},
		zipEntry{name: "usr/lib/empty.py", method: zip.Deflate},
		zipEntry{name: "usr/share/"},
		zipEntry{name: "etc/name", content: "wasgi", method: zip.Deflate},
	)
}

func TestArchiveReads(t *testing.T) {
	a := testArchive(t)
	wantEqual(t, "os.py", readFile(t, a, "usr/lib/os.py"), strings.Repeat("import sys\n", 1000))
	wantEqual(t, "stored.py", readFile(t, a, "usr/lib/stored.py"), "stored as it is")
	wantEqual(t, "empty.py", readFile(t, a, "usr/lib/empty.py"), "")
	f := openFile(t, a, "usr/lib/stored.py", sys.O_RDONLY)
	buf := make([]byte, 6)
	n, errno := f.Pread(buf, 10)
	wantErrno(t, "pread", errno, 0)
	wantEqual(t, "content", string(buf[:n]), "it is")
	position, errno := f.Seek(-5, 2)
	wantErrno(t, "seek", errno, 0)
	wantEqual(t, "position", position, 10)
	wantEqual(t, "the rest", readAll(t, f), "it is")
	_, errno = f.Seek(-1, 0)
	wantErrno(t, "seek before the start", errno, sys.EINVAL)
	_, errno = f.Pread(buf, -1)
	wantErrno(t, "pread before the start", errno, sys.EINVAL)
	closeFile(t, f)
	_, errno = f.Read(buf)
	wantErrno(t, "read after close", errno, sys.EBADF)
}

func TestArchiveStat(t *testing.T) {
	a, again := testArchive(t), testArchive(t)
	paths := []string{".", "usr", "usr/lib", "usr/lib/os.py", "usr/lib/stored.py", "usr/lib/empty.py", "usr/share",
		"etc", "etc/name"}
	for i, path := range paths {
		st, errno := a.Stat(path)
		wantErrno(t, path, errno, 0)
		wantEqual(t, "number of "+path, st.Ino, uint64(i)+1)
		wantEqual(t, "time of "+path, st.Mtim, zipTime.UnixNano())
		other, _ := again.Lstat(path)
		wantEqual(t, "the same in another process", other, st)
	}
	st, _ := a.Stat("usr/lib/os.py")
	wantEqual(t, "size", st.Size, 11000)
	for path, want := range map[string]sys.Errno{
		"usr/lib/os.py/":  sys.ENOTDIR,
		"usr/lib/os.py/x": sys.ENOTDIR,
		"usr/none/x":      sys.ENOENT,
		"usr/lib/OS.py":   sys.ENOENT,
		"../x":            sys.EPERM,
		"/etc/name":       sys.EPERM,
	} {
		_, errno := a.Stat(path)
		wantErrno(t, path, errno, want)
	}
}

func TestArchiveLists(t *testing.T) {
	a := testArchive(t)
	d := openFile(t, a, "usr/lib/", sys.O_DIRECTORY)
	wantEqual(t, "first", listNames(t, d, 2), []string{"os.py", "stored.py"})
	wantEqual(t, "rest", listNames(t, d, 2), []string{"empty.py"})
	_, errno := d.Seek(1, 0)
	wantErrno(t, "seek", errno, sys.EINVAL)
	_, errno = d.Seek(0, 0)
	wantErrno(t, "rewind", errno, 0)
	wantEqual(t, "all", listNames(t, d, 0), []string{"os.py", "stored.py", "empty.py"})
	closeFile(t, d)
	_, errno = d.Readdir(1)
	wantErrno(t, "readdir after close", errno, sys.EBADF)
}

func TestArchiveRefusesChanges(t *testing.T) {
	a := testArchive(t)
	for _, tc := range []struct {
		path string
		flag sys.Oflag
		want sys.Errno
	}{
		{"etc/name", sys.O_RDWR, sys.EROFS},
		{"etc/name", sys.O_TRUNC, sys.EROFS},
		{"etc/name", sys.O_CREAT | sys.O_EXCL | sys.O_RDWR, sys.EEXIST},
		{"etc/new", sys.O_CREAT | sys.O_RDWR, sys.EROFS},
		{"etc", sys.O_RDWR, sys.EISDIR},
		{"etc/name", sys.O_DIRECTORY, sys.ENOTDIR},
		{"none/new", sys.O_RDWR, sys.ENOENT},
	} {
		_, errno := a.OpenFile(tc.path, tc.flag, 0o600)
		wantErrno(t, fmt.Sprintf("open %s with %#x", tc.path, tc.flag), errno, tc.want)
	}
	wantErrno(t, "mkdir", a.Mkdir("x", 0o700), sys.EROFS)
	wantErrno(t, "rmdir", a.Rmdir("usr/share"), sys.EROFS)
	wantErrno(t, "unlink", a.Unlink("etc/name"), sys.EROFS)
	wantErrno(t, "rename", a.Rename("etc/name", "x"), sys.EROFS)
	wantErrno(t, "utimens", a.Utimens("etc/name", 0, 0), sys.EROFS)
	f := openFile(t, a, "etc/name", sys.O_RDONLY)
	_, errno := f.Write([]byte("x"))
	wantErrno(t, "write", errno, sys.EBADF)
	wantErrno(t, "truncate", f.Truncate(0), sys.EROFS)
}

func TestArchiveRefusesBadZips(t *testing.T) {
	for _, tc := range []struct {
		entries []zipEntry
		want    string
	}{
		{[]zipEntry{{name: "../x"}}, `wasi: the archive's entry "../x" is not a clean relative path`},
		{[]zipEntry{{name: "/x"}}, `wasi: the archive's entry "/x" is not a clean relative path`},
		{[]zipEntry{{name: "a//x"}}, `wasi: the archive's entry "a//x" is not a clean relative path`},
		{[]zipEntry{{name: "a/../x"}}, `wasi: the archive's entry "a/../x" is not a clean relative path`},
		{[]zipEntry{{name: "./"}}, `wasi: the archive's entry "./" is not a clean relative path`},
		{[]zipEntry{{name: "x"}, {name: "x"}}, `wasi: the archive's entry "x" occurs twice`},
		{[]zipEntry{{name: "x/"}, {name: "x/"}}, `wasi: the archive's entry "x" occurs twice`},
		{[]zipEntry{{name: "x"}, {name: "x/y"}}, `wasi: the archive's file "x" is also a directory`},
		{[]zipEntry{{name: "x/y"}, {name: "x"}}, `wasi: the archive's entry "x" occurs twice`},
		{[]zipEntry{{name: "x", content: "y", mode: fs.ModeSymlink | 0o777}},
			`wasi: the archive's entry "x" is neither a file nor a directory`},
	} {
		_, err := Archive(zipReader(t, zipBytes(t, tc.entries...)))
		if err == nil || err.Error() != tc.want {
			t.Errorf("%v: error is %v, want %s", tc.entries, err, tc.want)
		}
	}
}

func TestArchiveNoticesDamage(t *testing.T) {
	data := zipBytes(t, zipEntry{name: "f", content: strings.Repeat("abc", 1000), method: zip.Deflate})
	r := zipReader(t, data)
	offset, err := r.File[0].DataOffset()
	must(t, err)
	data[offset+3] ^= 0x10
	fsys, err := Archive(r)
	must(t, err)
	f := openFile(t, fsys, "f", sys.O_RDONLY)
	_, errno := f.Read(make([]byte, 10))
	wantErrno(t, "read", errno, sys.EIO)
}

func TestArchiveIsSharedByMany(t *testing.T) {
	var entries []zipEntry
	for i := range 40 {
		content := strings.Repeat(fmt.Sprintf("%02d", i), 20_000+i)
		entries = append(entries, zipEntry{name: fmt.Sprintf("d/f%02d", i), content: content, method: zip.Deflate})
	}
	a := newArchive(t, entries...)
	a.cache.max = 400_000
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range entries {
				e := entries[(i*7+worker)%len(entries)]
				f, errno := a.OpenFile(e.name, sys.O_RDONLY, 0)
				if errno != 0 {
					t.Errorf("open %s: %v", e.name, errno)
					continue
				}
				got := make([]byte, len(e.content)+1)
				if n, errno := f.Pread(got, 0); errno != 0 || string(got[:n]) != e.content {
					t.Errorf("%s: %d bytes, %v", e.name, n, errno)
				}
				_ = f.Close()
			}
		})
	}
	group.Wait()
	size := 0
	for e := a.cache.recent.Front(); e != nil; e = e.Next() {
		size += len(e.Value.(*cached).content)
	}
	wantEqual(t, "bytes counted", a.cache.size, size)
	if size == 0 || size > a.cache.max {
		t.Errorf("the cache holds %d bytes of %d", size, a.cache.max)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(zipBytes(f, zipEntry{name: "a/b", content: "hello", method: zip.Deflate}, zipEntry{name: "c/"}))
	f.Add(zipBytes(f, zipEntry{name: "a", content: "hello", method: zip.Store}))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		fsys, err := Archive(r)
		if err != nil {
			return
		}
		for name, n := range fsys.(*archive).nodes {
			file, errno := fsys.OpenFile(name, sys.O_RDONLY, 0)
			if errno != 0 {
				t.Fatalf("open %q: %v", name, errno)
			}
			if !n.mode.IsDir() {
				if got, _ := file.Read(make([]byte, 4096)); int64(got) > n.size {
					t.Fatalf("%q has %d bytes, read %d", name, n.size, got)
				}
			}
			_ = file.Close()
		}
	})
}

// BenchmarkArchiveIndex builds the index of an archive as large as the standard library with its site-packages.
func BenchmarkArchiveIndex(b *testing.B) {
	var entries []zipEntry
	for i := range 6000 {
		name := fmt.Sprintf("usr/lib/python3.13/package%02d/sub%d/module%04d.pyc", i%60, i%7, i)
		entries = append(entries, zipEntry{name: name, content: "x", method: zip.Deflate})
	}
	r := zipReader(b, zipBytes(b, entries...))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Archive(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkArchiveStat(b *testing.B) {
	a := testArchive(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, errno := a.Stat("usr/lib/os.py"); errno != 0 {
			b.Fatal(errno)
		}
	}
}

func BenchmarkArchiveOpenRead(b *testing.B) {
	a := testArchive(b)
	buf := make([]byte, 16<<10)
	b.ReportAllocs()
	for b.Loop() {
		f, _ := a.OpenFile("usr/lib/os.py", sys.O_RDONLY, 0)
		if _, errno := f.Read(buf); errno != 0 {
			b.Fatal(errno)
		}
		_ = f.Close()
	}
}
