package wasi

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

func writableDirIn(t *testing.T, path string, maxBytes int64, maxFiles int) (FS, *Quota) {
	t.Helper()
	q := NewQuota(maxBytes, maxFiles)
	fsys, err := WritableDir(path, q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeFS(t, fsys) })
	return fsys, q
}

func readOnlyDirIn(t *testing.T, path string) FS {
	t.Helper()
	fsys, err := ReadOnlyDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeFS(t, fsys) })
	return fsys
}

func closeFS(t *testing.T, fsys FS) {
	t.Helper()
	if err := fsys.(interface{ Close() error }).Close(); err != nil {
		t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantQuota(t *testing.T, q *Quota, bytes, files int64) {
	t.Helper()
	if b, f := q.Usage(); b != bytes || f != files {
		t.Fatalf("usage is %d bytes, %d files; want %d, %d", b, f, bytes, files)
	}
}

// outside makes a directory with a subdirectory "in", which becomes the mount, and secrets beside it.
func outside(t *testing.T) (dir, in string) {
	t.Helper()
	dir = t.TempDir()
	in = filepath.Join(dir, "in")
	must(t, os.MkdirAll(filepath.Join(in, "sub"), 0o700))
	must(t, os.MkdirAll(filepath.Join(dir, "other"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "other", "secret"), []byte("secret"), 0o600))
	must(t, os.WriteFile(filepath.Join(in, "file"), []byte("inside"), 0o600))
	for link, target := range map[string]string{
		"abs":      filepath.Join(dir, "secret"),
		"rel":      "../secret",
		"absdir":   filepath.Join(dir, "other"),
		"reldir":   "../other",
		"chain":    "rel",
		"sub/up":   "../../secret",
		"loop":     "loop2",
		"loop2":    "loop",
		"self":     "/proc/self/environ",
		"good":     "file",
		"sub/good": "../file",
		"gooddir":  "sub",
		"dangling": "nothing",
	} {
		must(t, os.Symlink(target, filepath.Join(in, link)))
	}
	return dir, in
}

// TestNoEscape tries each way out on each call that takes a path, on both kinds of directory.
func TestNoEscape(t *testing.T) {
	escapes := map[string]sys.Errno{
		"..":               sys.EPERM,
		"../secret":        sys.EPERM,
		"../other/secret":  sys.EPERM,
		"sub/../../secret": sys.EPERM,
		"/etc/passwd":      sys.EPERM,
		"//etc/passwd":     sys.EPERM,
		"file\x00":         sys.EINVAL,
		"file/":            sys.ENOTDIR,
		"file/x":           sys.ENOTDIR,
		"abs":              sys.EPERM,
		"rel":              sys.EPERM,
		"chain":            sys.EPERM,
		"sub/up":           sys.EPERM,
		"self":             sys.EPERM,
		"absdir/secret":    sys.EPERM,
		"reldir/secret":    sys.EPERM,
		"reldir/":          sys.EPERM,
		"absdir/":          sys.EPERM,
		"gooddir/up":       sys.EPERM,
		"loop":             sys.ELOOP,
		"%2e%2e/secret":    sys.ENOENT,
		"FILE":             sys.ENOENT,
		"dangling":         sys.ENOENT,
	}
	dir, in := outside(t)
	writable, _ := writableDirIn(t, in, 1<<20, 1000)
	for kind, fsys := range map[string]FS{"read-only": readOnlyDirIn(t, in), "writable": writable} {
		for path, want := range escapes {
			t.Run(kind+" "+path, func(t *testing.T) {
				_, errno := fsys.OpenFile(path, sys.O_RDONLY, 0)
				wantErrno(t, "open", errno, want)
				_, errno = fsys.Stat(path)
				wantErrno(t, "stat", errno, want)
				if _, errno = fsys.OpenFile(path, sys.O_RDWR, 0); errno == 0 {
					t.Error("open for writing succeeded")
				}
				if errno := fsys.Utimens(path, 0, 0); errno == 0 {
					t.Error("utimens succeeded")
				}
			})
		}
	}
	for _, path := range []string{"secret", "other/secret"} {
		content, err := os.ReadFile(filepath.Join(dir, path))
		must(t, err)
		wantEqual(t, "the file outside", string(content), "secret")
	}
}

func TestNoChangeThroughLinks(t *testing.T) {
	dir, in := outside(t)
	fsys, q := writableDirIn(t, in, 1<<20, 1000)
	_, before := q.Usage()
	for _, path := range []string{"reldir/new", "absdir/new", "gooddir/../../new"} {
		_, errno := fsys.OpenFile(path, sys.O_CREAT|sys.O_RDWR, 0o600)
		wantErrno(t, "create "+path, errno, sys.EPERM)
		wantErrno(t, "mkdir "+path, fsys.Mkdir(path, 0o700), sys.EPERM)
		wantErrno(t, "rename to "+path, fsys.Rename("file", path), sys.EPERM)
	}
	for _, path := range []string{"reldir/secret", "absdir/secret", "reldir/", "../other"} {
		wantErrno(t, "rmdir "+path, fsys.Rmdir(path), map[bool]sys.Errno{true: sys.ENOTDIR, false: sys.EPERM}[path == "reldir/"])
	}
	for _, path := range []string{"reldir/secret", "absdir/secret", "../secret", "/etc/passwd", "sub/../../secret"} {
		wantErrno(t, "rename of "+path, fsys.Rename(path, "stolen"), sys.EPERM)
	}
	wantErrno(t, "unlink through a link", fsys.Unlink("reldir/secret"), sys.EPERM)
	wantErrno(t, "symlink", fsys.Symlink("../secret", "new"), sys.EPERM)
	wantErrno(t, "link", fsys.Link("file", "new"), sys.EPERM)
	_, after := q.Usage()
	wantEqual(t, "files counted", after, before)

	names, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	wantEqual(t, "what is outside", len(names), 3)
	wantErrno(t, "unlink of a link", fsys.Unlink("rel"), 0)
	_, err = os.Stat(filepath.Join(dir, "secret"))
	must(t, err)
}

func TestLinksInsideAreFollowed(t *testing.T) {
	_, in := outside(t)
	fsys := readOnlyDirIn(t, in)
	for _, path := range []string{"good", "sub/good", "gooddir/good"} {
		wantEqual(t, path, readFile(t, fsys, path), "inside")
	}
	_, errno := fsys.OpenFile("good", sys.O_RDONLY|sys.O_NOFOLLOW, 0)
	wantErrno(t, "open without following", errno, sys.ELOOP)
	st, errno := fsys.Lstat("good")
	wantErrno(t, "lstat", errno, 0)
	wantEqual(t, "type", fileType(st.Mode), byte(typeSymbolicLink))
	st, errno = fsys.Lstat("gooddir/")
	wantErrno(t, "lstat with a slash", errno, 0)
	wantEqual(t, "type", fileType(st.Mode), byte(typeDirectory))
	target, errno := fsys.Readlink("good")
	wantErrno(t, "readlink", errno, 0)
	wantEqual(t, "target", target, "file")
	_, errno = fsys.Readlink("abs")
	wantErrno(t, "readlink of an absolute link", errno, sys.EPERM)
	_, errno = fsys.Readlink("file")
	wantErrno(t, "readlink of a file", errno, sys.EINVAL)
}

func TestReadOnlyDirRefusesChanges(t *testing.T) {
	_, in := outside(t)
	fsys := readOnlyDirIn(t, in)
	opens := []struct {
		path string
		flag sys.Oflag
		want sys.Errno
	}{
		{"file", sys.O_RDWR, sys.EROFS},
		{"file", sys.O_WRONLY, sys.EROFS},
		{"file", sys.O_TRUNC, sys.EROFS},
		{"file", sys.O_RDWR | sys.O_APPEND, sys.EROFS},
		{"file", sys.O_RDWR | sys.O_CREAT | sys.O_EXCL, sys.EEXIST},
		{"new", sys.O_RDWR | sys.O_CREAT, sys.EROFS},
		{"new", sys.O_RDWR, sys.ENOENT},
		{"sub", sys.O_RDWR, sys.EISDIR},
		{"file", sys.O_DIRECTORY, sys.ENOTDIR},
		{"../x", sys.O_RDWR | sys.O_CREAT, sys.EPERM},
	}
	for _, tc := range opens {
		_, errno := fsys.OpenFile(tc.path, tc.flag, 0o600)
		wantErrno(t, fmt.Sprintf("open %s with %#x", tc.path, tc.flag), errno, tc.want)
	}
	wantErrno(t, "mkdir", fsys.Mkdir("x", 0o700), sys.EROFS)
	wantErrno(t, "rmdir", fsys.Rmdir("sub"), sys.EROFS)
	wantErrno(t, "unlink", fsys.Unlink("file"), sys.EROFS)
	wantErrno(t, "rename", fsys.Rename("file", "x"), sys.EROFS)
	wantErrno(t, "utimens", fsys.Utimens("file", 0, 0), sys.EROFS)
	wantErrno(t, "link", fsys.Link("file", "x"), sys.EPERM)
	wantErrno(t, "symlink", fsys.Symlink("file", "x"), sys.EPERM)

	f := openFile(t, fsys, "file", sys.O_RDONLY)
	defer closeFile(t, f)
	_, errno := f.Write([]byte("x"))
	wantErrno(t, "write", errno, sys.EBADF)
	_, errno = f.Pwrite([]byte("x"), 0)
	wantErrno(t, "pwrite", errno, sys.EBADF)
	wantErrno(t, "truncate", f.Truncate(0), sys.EROFS)
	wantErrno(t, "futimens", f.Utimens(0, 0), sys.EROFS)
	d := openFile(t, fsys, "sub", sys.O_RDONLY)
	defer closeFile(t, d)
	wantErrno(t, "futimens of a directory", d.Utimens(0, 0), sys.EROFS)
	wantEqual(t, "content", readFile(t, fsys, "file"), "inside")
}

func TestRootStays(t *testing.T) {
	fsys, _ := writableDirIn(t, t.TempDir(), 1<<20, 10)
	wantErrno(t, "mkdir", fsys.Mkdir("d", 0o700), 0)
	for _, root := range []string{".", "./", "d/.."} {
		wantErrno(t, "rmdir "+root, fsys.Rmdir(root), EBUSY)
		wantErrno(t, "unlink "+root, fsys.Unlink(root), EBUSY)
		wantErrno(t, "rename "+root, fsys.Rename(root, "d/x"), EBUSY)
		wantErrno(t, "rename to "+root, fsys.Rename("d", root), EBUSY)
		wantErrno(t, "mkdir "+root, fsys.Mkdir(root, 0o700), sys.EEXIST)
	}
}

func TestQuotaBytes(t *testing.T) {
	fsys, q := writableDirIn(t, t.TempDir(), 100, 10)
	f := openFile(t, fsys, "f", sys.O_CREAT|sys.O_RDWR)
	wantErrno(t, "truncate to 1<<40", f.Truncate(1<<40), ENOSPC)
	_, errno := f.Pwrite([]byte{1}, 1<<40)
	wantErrno(t, "write at 1<<40", errno, ENOSPC)
	_, errno = f.Pwrite([]byte{1}, math.MaxInt64)
	wantErrno(t, "write at the end of the numbers", errno, EFBIG)
	wantQuota(t, q, 0, 1)
	_, errno = f.Pwrite([]byte{1}, 99)
	wantErrno(t, "write of the last byte", errno, 0)
	wantQuota(t, q, 100, 1)
	_, errno = f.Pwrite(make([]byte, 100), 0)
	wantErrno(t, "overwrite", errno, 0)
	wantErrno(t, "truncate", f.Truncate(10), 0)
	wantQuota(t, q, 10, 1)
	n, errno := f.Pwrite(make([]byte, 91), 10)
	wantErrno(t, "write of one byte too many", errno, ENOSPC)
	wantEqual(t, "bytes of it written", n, 0)
	wantQuota(t, q, 10, 1)

	g := openFile(t, fsys, "g", sys.O_CREAT|sys.O_WRONLY|sys.O_APPEND)
	_, errno = g.Write(make([]byte, 90))
	wantErrno(t, "append", errno, 0)
	_, errno = g.Write([]byte{1})
	wantErrno(t, "append of one byte too many", errno, ENOSPC)
	closeFile(t, g)
	closeFile(t, openFile(t, fsys, "g", sys.O_TRUNC|sys.O_WRONLY))
	wantQuota(t, q, 10, 2)
}

func TestQuotaFiles(t *testing.T) {
	fsys, q := writableDirIn(t, t.TempDir(), 1<<20, 3)
	writeFile(t, fsys, "a", "1")
	wantErrno(t, "mkdir", fsys.Mkdir("d", 0o700), 0)
	writeFile(t, fsys, "d/b", "22")
	wantQuota(t, q, 3, 3)
	_, errno := fsys.OpenFile("c", sys.O_CREAT|sys.O_RDWR, 0o600)
	wantErrno(t, "create", errno, ENOSPC)
	_, errno = fsys.OpenFile("a", sys.O_CREAT|sys.O_EXCL|sys.O_RDWR, 0o600)
	wantErrno(t, "create of what exists", errno, sys.EEXIST)
	wantErrno(t, "mkdir", fsys.Mkdir("e", 0o700), ENOSPC)
	wantErrno(t, "mkdir of what exists", fsys.Mkdir("d", 0o700), sys.EEXIST)
	closeFile(t, openFile(t, fsys, "a", sys.O_CREAT|sys.O_RDWR))
	wantErrno(t, "rmdir", fsys.Rmdir("d"), sys.ENOTEMPTY)
	wantErrno(t, "rename over a file", fsys.Rename("a", "d/b"), 0)
	wantQuota(t, q, 1, 2)
	wantErrno(t, "unlink", fsys.Unlink("d/b"), 0)
	wantErrno(t, "rmdir", fsys.Rmdir("d"), 0)
	wantQuota(t, q, 0, 0)
	_, errno = fsys.OpenFile("none/x", sys.O_CREAT|sys.O_RDWR, 0o600)
	wantErrno(t, "create without a directory", errno, sys.ENOENT)
	wantErrno(t, "mkdir without a directory", fsys.Mkdir("none/x", 0o700), sys.ENOENT)
	wantQuota(t, q, 0, 0)
}

func TestQuotaCountsRemovedFilesUntilClosed(t *testing.T) {
	dir := t.TempDir()
	fsys, q := writableDirIn(t, dir, 100, 10)
	second, err := WritableDir(dir, q)
	must(t, err)
	writeFile(t, fsys, "f", strings.Repeat("x", 60))
	writeFile(t, fsys, "g", "yy")
	f := openFile(t, second, "f", sys.O_RDWR)
	wantErrno(t, "rename over it", fsys.Rename("g", "f"), 0)
	wantQuota(t, q, 62, 2)
	wantErrno(t, "growing it", f.Truncate(99), ENOSPC)
	wantErrno(t, "growing it", f.Truncate(98), 0)
	closeFile(t, f)
	wantQuota(t, q, 2, 1)
	closeFS(t, second)
}

func TestQuotaCountsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "a/b"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "a/b/f"), make([]byte, 1000), 0o600))
	must(t, os.Link(filepath.Join(dir, "a/b/f"), filepath.Join(dir, "g")))
	must(t, os.Symlink("g", filepath.Join(dir, "s")))
	fsys, q := writableDirIn(t, dir, 500, 100)
	wantQuota(t, q, 1000, 5)
	_, errno := fsys.OpenFile("new", sys.O_CREAT|sys.O_RDWR, 0o600)
	wantErrno(t, "create", errno, 0)
	wantErrno(t, "unlink of one of two names", fsys.Unlink("g"), 0)
	wantQuota(t, q, 1000, 5)
	wantErrno(t, "unlink of the last name", fsys.Unlink("a/b/f"), 0)
	wantQuota(t, q, 0, 4)
}

func TestQuotaIsForOneDirectory(t *testing.T) {
	q := NewQuota(1, 1)
	a, err := WritableDir(t.TempDir(), q)
	must(t, err)
	defer closeFS(t, a)
	other := t.TempDir()
	_, err = WritableDir(other, q)
	want := "wasi: the quota is in use for another directory than " + other + ": make a second one"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	for _, q := range []*Quota{nil, NewQuota(0, 1), NewQuota(1, 0), NewQuota(-1, -1)} {
		if _, err := WritableDir(t.TempDir(), q); err == nil {
			t.Error("a quota without room is accepted")
		}
	}
}

// TestQuotaUnderConcurrency lets instances of one tenant fight for a quota and compares what is left with the disk.
func TestQuotaUnderConcurrency(t *testing.T) {
	dir := t.TempDir()
	q := NewQuota(4000, 12)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			fsys, err := WritableDir(dir, q)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 200 {
				churn(fsys, worker, i)
				if bytes, files := q.Usage(); bytes > 4000 || files > 12 {
					t.Errorf("usage %d bytes, %d files is above the quota", bytes, files)
				}
			}
		})
	}
	group.Wait()
	root, err := os.OpenRoot(dir)
	must(t, err)
	bytes, files, err := usageBelow(root)
	must(t, err)
	wantQuota(t, q, bytes, files)
	wantEqual(t, "files open", len(q.open), 0)
}

func churn(fsys FS, worker, i int) {
	shared, own := fmt.Sprint("f", i%3), fmt.Sprint("own", worker)
	_ = fsys.Mkdir(own, 0o700)
	f, errno := fsys.OpenFile(shared, sys.O_CREAT|sys.O_RDWR|sys.O_APPEND, 0o600)
	if errno == 0 {
		_, _ = f.Write(make([]byte, 37*(i%11)))
		_ = f.Truncate(int64(53 * (worker + i) % 1500))
		_ = fsys.Rename(shared, fmt.Sprint("f", (i+1)%3))
		_, _ = f.Pwrite([]byte("tail"), int64(i%700))
		_ = f.Close()
	}
	_ = fsys.Unlink(fmt.Sprint("f", (worker+i)%3))
	_ = fsys.Rmdir(own)
}

// TestLocksAreAtomic checks the two kinds of lock file that there are without fcntl.
func TestLocksAreAtomic(t *testing.T) {
	dir := t.TempDir()
	q := NewQuota(1<<20, 100)
	take := map[string]func(FS) sys.Errno{
		"mkdir": func(fsys FS) sys.Errno { return fsys.Mkdir("lock", 0o700) },
		"O_EXCL": func(fsys FS) sys.Errno {
			f, errno := fsys.OpenFile("lock", sys.O_CREAT|sys.O_EXCL|sys.O_RDWR, 0o600)
			if errno == 0 {
				errno = f.Close()
			}
			return errno
		},
	}
	release := map[string]func(FS) sys.Errno{
		"mkdir":  func(fsys FS) sys.Errno { return fsys.Rmdir("lock") },
		"O_EXCL": func(fsys FS) sys.Errno { return fsys.Unlink("lock") },
	}
	for kind := range take {
		t.Run(kind, func(t *testing.T) {
			var group sync.WaitGroup
			var holders atomic.Int32
			for range 4 {
				group.Go(func() {
					fsys, err := WritableDir(dir, q)
					if err != nil {
						t.Error(err)
						return
					}
					for done := 0; done < 50; {
						switch errno := take[kind](fsys); errno {
						case sys.EEXIST:
							continue
						case 0:
						default:
							t.Errorf("taking the lock: %v", errno)
							return
						}
						if holders.Add(1) != 1 {
							t.Error("two hold the lock")
						}
						done++
						holders.Add(-1)
						if errno := release[kind](fsys); errno != 0 {
							t.Errorf("releasing the lock: %v", errno)
						}
					}
				})
			}
			group.Wait()
		})
	}
}

func TestReaddirHasNumbersAndTypes(t *testing.T) {
	_, in := outside(t)
	fsys := readOnlyDirIn(t, in)
	d := openFile(t, fsys, ".", sys.O_RDONLY|sys.O_DIRECTORY)
	defer closeFile(t, d)
	for range 2 {
		seen := map[string]byte{}
		for {
			entries, errno := d.Readdir(3)
			wantErrno(t, "readdir", errno, 0)
			for _, e := range entries {
				st, errno := fsys.Lstat(e.Name)
				wantErrno(t, "lstat "+e.Name, errno, 0)
				wantEqual(t, "number of "+e.Name, e.Ino, st.Ino)
				seen[e.Name] = fileType(e.Type)
			}
			if len(entries) < 3 {
				break
			}
		}
		wantEqual(t, "entries", len(seen), 13)
		wantEqual(t, "type of file", seen["file"], byte(typeRegularFile))
		wantEqual(t, "type of sub", seen["sub"], byte(typeDirectory))
		wantEqual(t, "type of rel", seen["rel"], byte(typeSymbolicLink))
		_, errno := d.Seek(0, 0)
		wantErrno(t, "rewind", errno, 0)
	}
}
