package wasi

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

func mountOf(guest string, fsys FS) Mount {
	return Mount{Guest: guest, Open: func() (FS, error) { return fsys, nil }}
}

// Descriptors of the mounts of testPolicy.
const (
	appFD  = 3
	dataFD = 4
	tmpFD  = 5
)

// testPolicy mounts the directory of outside at /app, an empty one at /data and memory at /tmp.
func testPolicy(t *testing.T) Policy {
	t.Helper()
	_, in := outside(t)
	data, _ := writableDirIn(t, t.TempDir(), 1<<20, 100)
	return Policy{Mounts: []Mount{
		mountOf("/app", readOnlyDirIn(t, in)),
		mountOf("/data", data),
		mountOf("/tmp", Memory(1<<20, 100)),
	}}
}

func TestPreopens(t *testing.T) {
	g := newGuest(t, testPolicy(t))
	for fd, want := range map[uint64]string{appFD: "/app", dataFD: "/data", tmpFD: "/tmp"} {
		result := g.space(8)
		g.want(0, "fd_prestat_get", fd, result)
		wantEqual(t, "tag and length", g.u64(result), uint64(len(want))<<32)
		buf := g.space(len(want))
		g.want(0, "fd_prestat_dir_name", fd, buf, uint64(len(want)))
		wantEqual(t, "name", string(g.bytes(buf, uint32(len(want)))), want)
		g.want(sys.ENAMETOOLONG, "fd_prestat_dir_name", fd, buf, uint64(len(want)-1))
		g.want(sys.ENOTSUP, "fd_close", fd)
		g.want(sys.ENOTSUP, "fd_renumber", fd, 0)
	}
	g.want(sys.EBADF, "fd_prestat_get", 0, 8)
	g.want(sys.EBADF, "fd_prestat_get", 6, 8)
	g.want(sys.EFAULT, "fd_prestat_get", 3, guestPages<<16)
	opened := g.mustOpen(dataFD, ".", openDirectory, rightRead, 0)
	g.want(sys.EBADF, "fd_prestat_get", opened, 8)
}

func TestWriteReadSeek(t *testing.T) {
	for _, dir := range []uint64{dataFD, tmpFD} {
		g := newGuest(t, testPolicy(t))
		fd := g.mustOpen(dir, "f", openCreate|openTruncate, bothRights, 0)
		wantEqual(t, "descriptor", fd, 6)
		g.write(fd, "hello, ")
		g.write(fd, "world")
		result := g.space(8)
		g.want(0, "fd_tell", fd, result)
		wantEqual(t, "position", g.u64(result), 12)
		g.want(0, "fd_seek", fd, 7, 0, result)
		wantEqual(t, "rest", g.read(fd, 100), "world")
		g.want(sys.EINVAL, "fd_seek", fd, 1<<63, 0, result)
		g.want(sys.EINVAL, "fd_seek", fd, 0, 3, result)
		wantEqual(t, "end", g.read(fd, 100), "")

		a, b := g.space(4), g.space(100)
		args := append([]uint64{fd}, g.vectors(a, 4, b, 0, b, 100)...)
		g.want(0, "fd_pread", append(args, 3, result)...)
		wantEqual(t, "bytes read", g.u32(result), 9)
		wantEqual(t, "vectors", string(g.bytes(a, 4))+string(g.bytes(b, 5)), "lo, world")
		g.want(sys.EINVAL, "fd_pread", append(args, 1<<63, result)...)

		args = append([]uint64{fd}, g.vectors(g.put([]byte("HE")), 2, g.put([]byte("LLO")), 3)...)
		g.want(0, "fd_pwrite", append(args, 0, result)...)
		g.want(0, "fd_filestat_set_size", fd, 5)
		g.want(0, "fd_allocate", fd, 0, 6)
		g.want(0, "fd_allocate", fd, 0, 2)
		g.want(sys.EINVAL, "fd_allocate", fd, 1<<63-1, 1)
		g.want(sys.EINVAL, "fd_filestat_set_size", fd, 1<<63)
		g.want(ENOSPC, "fd_filestat_set_size", fd, 1<<40)
		g.want(ENOSPC, "fd_allocate", fd, 0, 1<<40)
		g.want(0, "fd_sync", fd)
		g.want(0, "fd_datasync", fd)
		g.want(0, "fd_advise", fd, 0, 0, 5)
		g.want(sys.EINVAL, "fd_advise", fd, 0, 0, 6)
		g.want(0, "fd_seek", fd, 0, 0, result)
		wantEqual(t, "content", g.read(fd, 100), "HELLO\x00")
		g.want(0, "fd_close", fd)
		g.want(sys.EBADF, "fd_close", fd)
		g.want(sys.EBADF, "fd_tell", fd, result)
	}
}

func TestAccessModes(t *testing.T) {
	for _, dir := range []uint64{dataFD, tmpFD} {
		g := newGuest(t, testPolicy(t))
		result := g.space(fdStatSize)
		reader := g.mustOpen(dir, "f", openCreate, rightRead, 0)
		writer := g.mustOpen(dir, "f", 0, rightWrite, fdflagAppend)
		one := g.vectors(g.put([]byte("x")), 1)
		g.want(sys.EBADF, "fd_write", reader, one[0], one[1], result)
		g.want(sys.EBADF, "fd_read", writer, one[0], one[1], result)
		g.want(sys.EBADF, "fd_filestat_set_size", reader, 0)
		g.write(writer, "ab")
		g.want(0, "fd_fdstat_get", writer, result)
		stat := g.bytes(result, fdStatSize)
		wantEqual(t, "type and flags", stat[:4], []byte{typeRegularFile, 0, fdflagAppend, 0})
		wantEqual(t, "rights", uint64(stat[8])&bothRights, uint64(rightWrite))
		g.want(0, "fd_fdstat_set_flags", writer, fdflagNonblock)
		g.want(0, "fd_fdstat_get", writer, result)
		wantEqual(t, "flags", g.bytes(result, fdStatSize)[2], byte(fdflagNonblock))
		g.want(0, "fd_fdstat_set_flags", writer, 0)
		g.want(0, "fd_fdstat_get", writer, result)
		wantEqual(t, "flags", g.bytes(result, fdStatSize)[2], byte(0))
		g.want(0, "fd_seek", writer, 0, 0, g.space(8))
		g.write(writer, "B")
		wantEqual(t, "content", g.read(reader, 9), "Bb")
		g.want(sys.EINVAL, "fd_fdstat_set_flags", writer, fdflagSync)
		g.wantOpen(sys.EISDIR, dir, ".", 0, rightWrite)
		g.wantOpen(sys.EINVAL, dir, "d", openCreate|openDirectory, bothRights)
		g.wantOpen(sys.ENOTDIR, dir, "f", openDirectory, rightRead)
		g.wantOpen(sys.ENOTDIR, dir, "f/", 0, rightRead)
		g.wantOpen(sys.EEXIST, dir, "f", openCreate|openExclusive, bothRights)
		g.wantOpen(sys.ENOENT, dir, "none", 0, rightRead)
		g.wantOpen(sys.ENOENT, dir, "", 0, rightRead)
		d := g.mustOpen(dir, ".", openDirectory, rightRead, 0)
		g.want(sys.EISDIR, "fd_read", d, one[0], one[1], result)
		g.want(sys.EISDIR, "fd_seek", d, 0, 0, result)
		g.want(sys.EISDIR, "fd_fdstat_set_flags", d, 0)
		g.want(sys.EBADF, "fd_readdir", reader, result, 24, 0, result)
	}
}

// TestNoEscapeThroughCalls is the table of escapes on every call that takes a path.
func TestNoEscapeThroughCalls(t *testing.T) {
	paths := map[string]sys.Errno{
		"../secret":              sys.EPERM,
		"/etc/passwd":            sys.EPERM,
		"sub/../../secret":       sys.EPERM,
		"..":                     sys.EPERM,
		"x\x00y":                 sys.EINVAL,
		"\xff":                   EILSEQ,
		longPath(MaxPath + 1):    sys.ENAMETOOLONG,
		longPath(2*MaxDepth + 1): sys.ENAMETOOLONG,
		"reldir/secret":          sys.EPERM,
		"absdir/secret":          sys.EPERM,
	}
	_, in := outside(t)
	fsys, _ := writableDirIn(t, in, 1<<20, 1000)
	g := newGuest(t, Policy{Mounts: []Mount{mountOf("/data", fsys)}})
	start := g.next
	for path, want := range paths {
		g.next = start
		target := want
		g.want(want, "path_create_directory", g.at(3, path)...)
		g.want(want, "path_remove_directory", g.at(3, path)...)
		g.want(want, "path_unlink_file", g.at(3, path)...)
		g.want(want, "path_readlink", g.at(3, path, g.space(64), 64, g.space(4))...)
		g.wantOpen(want, 3, path, 0, rightRead)
		g.wantOpen(want, 3, path, openCreate, bothRights)
		g.wantOpen(want, 3, path, openTruncate, bothRights)
		for _, lookup := range []uint64{0, follow} {
			ptr, length := g.path(path)
			g.want(want, "path_filestat_get", 3, lookup, ptr, length, g.space(fileStatSize))
			g.want(want, "path_filestat_set_times", 3, lookup, ptr, length, 0, 0, 1)
			file, fileLength := g.path("file")
			if !strings.Contains(path, "dir/") {
				g.want(target, "path_link", 3, lookup, ptr, length, 3, file, fileLength)
				g.want(target, "path_link", 3, lookup, file, fileLength, 3, ptr, length)
				g.want(target, "path_symlink", file, fileLength, 3, ptr, length)
			}
			g.want(want, "path_rename", 3, ptr, length, 3, file, fileLength)
			g.want(want, "path_rename", 3, file, fileLength, 3, ptr, length)
		}
	}
	ptr, length := g.path("new")
	target, targetLength := g.path("../secret")
	g.want(sys.EPERM, "path_symlink", target, targetLength, 3, ptr, length)
	file, fileLength := g.path("file")
	g.want(sys.EPERM, "path_link", 3, 0, file, fileLength, 3, ptr, length)
	for _, link := range []string{"abs", "rel", "chain", "self"} {
		g.wantOpen(sys.EPERM, 3, link, 0, rightRead)
		g.wantOpen(sys.EPERM, 3, link, openTruncate, bothRights)
	}
	sub := g.mustOpen(3, "sub", openDirectory, rightRead, 0)
	g.wantOpen(sys.EPERM, sub, "../file", 0, rightRead)
	g.wantOpen(sys.EPERM, sub, "..", 0, rightRead)
	g.wantOpen(0, sub, "good", 0, rightRead)
}

func TestRenameBetweenMounts(t *testing.T) {
	g := newGuest(t, testPolicy(t))
	g.want(0, "fd_close", g.mustOpen(dataFD, "f", openCreate, bothRights, 0))
	from, length := g.path("f")
	g.want(EXDEV, "path_rename", dataFD, from, length, tmpFD, from, length)
	g.want(EXDEV, "path_rename", tmpFD, from, length, dataFD, from, length)
	root, rootLength := g.path(".")
	g.want(EBUSY, "path_rename", dataFD, root, rootLength, dataFD, from, length)
	for _, fd := range []uint64{dataFD, tmpFD} {
		g.want(EBUSY, "path_remove_directory", g.at(fd, ".")...)
		g.want(EBUSY, "path_unlink_file", g.at(fd, ".")...)
	}
}

func TestDirectoriesThroughCalls(t *testing.T) {
	for _, mount := range []uint64{dataFD, tmpFD} {
		g := newGuest(t, testPolicy(t))
		g.want(0, "path_create_directory", g.at(mount, "d")...)
		g.want(sys.EEXIST, "path_create_directory", g.at(mount, "d/")...)
		d := g.mustOpen(mount, "d", openDirectory, rightRead, 0)
		var want []string
		for i := range 20 {
			name := fmt.Sprintf("file-%02d", i)
			g.want(0, "fd_close", g.mustOpen(d, name, openCreate|openExclusive, bothRights, 0))
			want = append(want, name)
		}
		for _, size := range []int{40, 64, 100, 1000, 65536} {
			names := g.list(d, size)
			wantEqual(t, "dots", names[:2], []string{".", ".."})
			slices.Sort(names)
			wantEqual(t, "names", names[2:], want)
		}
		g.want(sys.ENOTEMPTY, "path_remove_directory", g.at(mount, "d")...)
		g.want(sys.EISDIR, "path_unlink_file", g.at(mount, "d")...)
		g.want(sys.ENOTDIR, "path_remove_directory", g.at(d, "file-00")...)
		for _, name := range want {
			g.want(0, "path_unlink_file", g.at(d, name)...)
		}
		g.want(0, "path_remove_directory", g.at(mount, "d")...)
		wantEqual(t, "the removed directory", g.list(d, 100), []string{".", ".."})
		g.wantOpen(sys.ENOENT, d, "new", openCreate, bothRights)
		wantEqual(t, "the root", len(g.list(mount, 100)), 2)
	}
}

func TestListLargeDirectoryFromAnyCookie(t *testing.T) {
	g := newGuest(t, Policy{Mounts: []Mount{mountOf("/tmp", Memory(1<<20, 2000))}})
	for i := range 1000 {
		g.want(0, "path_create_directory", g.at(3, fmt.Sprintf("d%04d", i))...)
	}
	g.next = 8
	names := g.list(3, 200)
	wantEqual(t, "count", len(names), 1002)
	wantEqual(t, "last", names[1001], "d0999")
	buf, result := g.space(direntSize+5), g.space(4)
	for _, cookie := range []uint64{0, 700, 3, 1001, 2} {
		g.want(0, "fd_readdir", 3, buf, direntSize+5, cookie, result)
		entry := g.bytes(buf, g.u32(result))
		wantEqual(t, "next cookie", g.u64(buf), cookie+1)
		if name := string(entry[direntSize:]); cookie > 1 && name != names[cookie] {
			t.Errorf("entry %d is %s, want %s", cookie, name, names[cookie])
		}
	}
	g.want(0, "fd_readdir", 3, buf, direntSize+5, 1<<60, result)
	wantEqual(t, "bytes far after the end", g.u32(result), 0)
	if held := len(g.sandbox.files.slots[3].listing.entries); held > listingBatch {
		t.Errorf("the host holds %d entries, more than %d", held, listingBatch)
	}
}

func TestTimesThroughCalls(t *testing.T) {
	for _, mount := range []uint64{dataFD, tmpFD} {
		g := newGuest(t, testPolicy(t))
		fd := g.mustOpen(mount, "f", openCreate, bothRights, 0)
		st := g.space(fileStatSize)
		const set = 1 | 4
		g.want(0, "fd_filestat_set_times", fd, 1_000_000_001, 2_000_000_002, set)
		g.want(0, "fd_filestat_get", fd, st)
		wantEqual(t, "times", []uint64{g.u64(st + 40), g.u64(st + 48)}, []uint64{1_000_000_001, 2_000_000_002})
		ptr, length := g.path("f")
		g.want(0, "path_filestat_set_times", mount, 0, ptr, length, 7, 3_000_000_003, 4)
		g.want(0, "path_filestat_get", mount, 0, ptr, length, st)
		wantEqual(t, "times", []uint64{g.u64(st + 40), g.u64(st + 48)}, []uint64{1_000_000_001, 3_000_000_003})
		wantEqual(t, "device", g.u64(st), mount-2)
		wantEqual(t, "type", g.bytes(st, 64)[16], byte(typeRegularFile))
		before := uint64(time.Now().UnixNano())
		g.want(0, "fd_filestat_set_times", fd, 0, 0, 2|8)
		g.want(0, "fd_filestat_get", fd, st)
		if atim := g.u64(st + 40); atim < before-uint64(time.Second) {
			t.Errorf("atim is %d, before %d", atim, before)
		}
		g.want(sys.EINVAL, "fd_filestat_set_times", fd, 0, 0, 1|2)
		g.want(sys.EINVAL, "fd_filestat_set_times", fd, 0, 0, 4|8)
	}
}

func TestDescriptorsAreCapped(t *testing.T) {
	policy := testPolicy(t)
	policy.MaxOpenFiles = 4
	g := newGuest(t, policy)
	var opened []uint64
	for i := range 4 {
		opened = append(opened, g.mustOpen(dataFD, fmt.Sprint("f", i), openCreate, bothRights, 0))
	}
	g.wantOpen(EMFILE, dataFD, "one more", openCreate, bothRights)
	g.wantOpen(EMFILE, dataFD, "f0", 0, rightRead)
	ptr, length := g.path("one more")
	g.want(sys.ENOENT, "path_filestat_get", dataFD, 0, ptr, length, g.space(64))
	wantEqual(t, "open files", g.sandbox.OpenFiles(), []string{"/data/f0", "/data/f1", "/data/f2", "/data/f3"})

	g.want(sys.EBADF, "fd_renumber", opened[0], 1<<31-1)
	g.want(sys.EBADF, "fd_renumber", opened[0], 1<<32-1)
	g.want(0, "fd_renumber", opened[0], opened[1])
	g.want(0, "fd_renumber", opened[1], opened[1])
	wantEqual(t, "open files", g.sandbox.OpenFiles(), []string{"/data/f0", "/data/f2", "/data/f3"})
	wantEqual(t, "the lowest free number", g.mustOpen(dataFD, "f1", 0, rightRead, 0), opened[0])
	must(t, g.sandbox.Close())
	wantEqual(t, "open files", g.sandbox.OpenFiles(), nil)
	g.want(sys.EBADF, "fd_sync", opened[0])
}

// TestDescriptorsOfHost counts the process's own: what the guest leaves open must not stay open.
func TestDescriptorsOfHost(t *testing.T) {
	g := newGuest(t, testPolicy(t))
	g.list(dataFD, 100)
	g.list(appFD, 100)
	must(t, g.sandbox.Reset())
	before := hostDescriptors(t)
	for i := range 50 {
		g.mustOpen(dataFD, fmt.Sprint("f", i), openCreate, bothRights, 0)
		g.mustOpen(dataFD, ".", openDirectory, rightRead, 0)
	}
	if during := hostDescriptors(t); during < before+100 {
		t.Fatalf("%d descriptors before, %d with 100 files open", before, during)
	}
	must(t, g.sandbox.Reset())
	wantEqual(t, "descriptors of the host", hostDescriptors(t), before)
	wantEqual(t, "open files", g.sandbox.OpenFiles(), nil)
	wantEqual(t, "first descriptor", g.mustOpen(dataFD, "f0", 0, rightRead, 0), 6)
}

func hostDescriptors(t *testing.T) int {
	t.Helper()
	names, err := filepath.Glob("/proc/self/fd/*")
	must(t, err)
	if len(names) == 0 {
		t.Skip("needs /proc/self/fd")
	}
	return len(names)
}

func TestResetEmptiesMemoryAndReopensStdio(t *testing.T) {
	var out bytes.Buffer
	policy := testPolicy(t)
	policy.Stdout = &out
	g := newGuest(t, policy)
	g.mustOpen(tmpFD, "secret", openCreate, bothRights, 0)
	g.mustOpen(dataFD, "kept", openCreate, bothRights, 0)
	g.want(sys.ENOTSUP, "fd_close", 1)
	must(t, g.sandbox.Reset())
	g.wantOpen(sys.ENOENT, tmpFD, "secret", 0, rightRead)
	g.wantOpen(0, dataFD, "kept", 0, rightRead)
	g.write(1, "still here")
	wantEqual(t, "output", out.String(), "still here")
}

// TestDepthIsCapped digs with a descriptor of each level, then by moving trees below each other.
func TestDepthIsCapped(t *testing.T) {
	for _, mount := range []uint64{dataFD, tmpFD} {
		policy := testPolicy(t)
		disk, err := WritableDir(t.TempDir(), NewQuota(1<<20, 2*MaxDepth))
		must(t, err)
		defer closeFS(t, disk)
		policy.Mounts[dataFD-3], policy.Mounts[tmpFD-3] = mountOf("/data", disk), mountOf("/tmp", Memory(1<<20, 2*MaxDepth))
		policy.MaxOpenFiles = MaxDepth + 1
		g := newGuest(t, policy)
		fd := mount
		for range MaxDepth {
			g.want(0, "path_create_directory", g.at(fd, "d")...)
			fd = g.mustOpen(fd, "d", openDirectory, rightRead, 0)
		}
		g.want(sys.ENAMETOOLONG, "path_create_directory", g.at(fd, "d")...)
		g.wantOpen(sys.ENAMETOOLONG, fd, "f", openCreate, bothRights)

		g.want(0, "path_create_directory", g.at(mount, "e")...)
		g.want(0, "path_create_directory", g.at(mount, "e/e")...)
		from, fromLength := g.path("d")
		to, toLength := g.path("e/d")
		g.want(sys.ENAMETOOLONG, "path_rename", mount, from, fromLength, mount, to, toLength)
		deep, deepLength := g.path(strings.Repeat("d/", MaxDepth-2) + "e")
		small, smallLength := g.path("e")
		g.want(sys.ENOTEMPTY, "path_remove_directory", g.at(mount, "e")...)
		g.want(0, "path_rename", mount, small, smallLength, mount, deep, deepLength)
		g.want(0, "path_rename", mount, deep, deepLength, mount, small, smallLength)
		deeper, deeperLength := g.path(strings.Repeat("d/", MaxDepth-1) + "e")
		g.want(sys.ENAMETOOLONG, "path_rename", mount, small, smallLength, mount, deeper, deeperLength)
	}
}

// BenchmarkReset is what fresh mode pays for each request whose guest has used no file.
func BenchmarkReset(b *testing.B) {
	policy := Policy{Mounts: []Mount{mountOf("/tmp", Memory(1<<20, 100)), mountOf("/", testArchive(b))}}
	sandbox, err := policy.NewSandbox()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := sandbox.Reset(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestStdio(t *testing.T) {
	var out, errs bytes.Buffer
	g := newGuest(t, Policy{Stdin: strings.NewReader("input"), Stdout: &out, Stderr: &errs})
	wantEqual(t, "stdin", g.read(0, 3)+g.read(0, 99)+g.read(0, 99), "input")
	g.write(1, "to stdout")
	g.write(2, "to stderr")
	wantEqual(t, "streams", []string{out.String(), errs.String()}, []string{"to stdout", "to stderr"})
	result := g.space(64)
	one := g.vectors(g.put([]byte("x")), 1)
	g.want(sys.EBADF, "fd_write", 0, one[0], one[1], result)
	g.want(sys.EBADF, "fd_read", 1, one[0], one[1], result)
	g.want(ESPIPE, "fd_seek", 1, 0, 0, result)
	g.want(sys.EINVAL, "fd_filestat_set_size", 1, 0)
	g.want(sys.ENOTDIR, "path_unlink_file", g.at(1, "x")...)
	g.want(sys.ENOTSUP, "fd_fdstat_set_flags", 1, fdflagNonblock)
	g.want(0, "fd_filestat_get", 1, result)
	wantEqual(t, "type", g.bytes(result, 64)[16], byte(typeBlockDevice))

	silent := newGuest(t, Policy{})
	wantEqual(t, "stdin", silent.read(0, 9), "")
	silent.write(1, "nobody hears this")
}

// TestNothingOfTheHost checks that argv and environment are the policy's alone.
func TestNothingOfTheHost(t *testing.T) {
	t.Setenv("WASGI_TEST_SECRET", "secret")
	g := newGuest(t, Policy{Args: []string{"python"}, Env: []string{"A=1", "EMPTY="}})
	counts := g.space(8)
	g.want(0, "environ_sizes_get", counts, counts+4)
	wantEqual(t, "variables and bytes", []uint32{g.u32(counts), g.u32(counts + 4)}, []uint32{2, 11})
	pointers, buf := g.space(8), g.space(11)
	g.want(0, "environ_get", pointers, buf)
	wantEqual(t, "environment", string(g.bytes(buf, 11)), "A=1\x00EMPTY=\x00")
	g.want(0, "args_sizes_get", counts, counts+4)
	wantEqual(t, "arguments and bytes", []uint32{g.u32(counts), g.u32(counts + 4)}, []uint32{1, 7})
	wantEqual(t, "pointers", []uint32{g.u32(pointers), g.u32(pointers + 4)}, []uint32{uint32(buf), uint32(buf) + 4})
	g.want(0, "args_get", pointers, buf)
	wantEqual(t, "arguments", string(g.bytes(buf, 11)), "python\x00TY=\x00")
	const end = guestPages << 16
	g.want(sys.EFAULT, "environ_get", pointers, end-10)
	g.want(sys.EFAULT, "environ_get", end-7, buf)
	g.want(sys.EFAULT, "environ_sizes_get", end-3, counts)
	g.want(sys.EFAULT, "environ_sizes_get", counts, end-3)
	wantEqual(t, "after what failed", string(g.bytes(buf, 11)), "python\x00TY=\x00")
	g.want(sys.EBADF, "fd_prestat_get", 3, counts)
	g.want(sys.EBADF, "path_unlink_file", g.at(3, "x")...)
	g.want(sys.EBADF, "sock_accept", 3, 0, counts)
}

func TestNothingIsCopiedForAHugeLength(t *testing.T) {
	g := newGuest(t, testPolicy(t))
	const huge = 1<<32 - 1
	g.want(sys.ENAMETOOLONG, "path_unlink_file", dataFD, 0, guestPages<<16)
	g.want(sys.ENAMETOOLONG, "path_unlink_file", dataFD, 0, huge)
	g.want(sys.EFAULT, "path_unlink_file", dataFD, guestPages<<16, 1)
	g.want(sys.EFAULT, "random_get", 0, huge)
	g.want(sys.EINVAL, "poll_oneoff", 8, 8, huge, 8)
	g.want(sys.EINVAL, "poll_oneoff", 8, 8, 0, 8)
	g.want(sys.EINVAL, "fd_read", 0, 8, huge, 8)
	g.want(sys.EINVAL, "fd_read", 0, 8, 1<<29, 8)
	g.want(sys.EFAULT, "fd_read", 0, huge, 1, 8)
	g.want(sys.EFAULT, "fd_readdir", dataFD, 8, huge, 0, 8)
	g.want(sys.EFAULT, "fd_fdstat_get", dataFD, huge)
	g.want(sys.EFAULT, "fd_filestat_get", dataFD, guestPages<<16-63)
	g.want(sys.EBADF, "fd_read", huge, 8, 1, 8)
	one := g.vectors(guestPages<<16-1, 2)
	g.want(sys.EFAULT, "fd_write", 1, one[0], one[1], 8)
	ptr, length := g.path("f")
	g.want(sys.EFAULT, "path_open", dataFD, follow, ptr, length, openCreate, bothRights, 0, 0, huge)
	wantEqual(t, "open files", g.sandbox.OpenFiles(), nil)
}

func TestRandomIsRandom(t *testing.T) {
	policy := testPolicy(t)
	a, b := newGuest(t, policy), newGuest(t, policy)
	at, other := a.space(32), b.space(32)
	a.want(0, "random_get", at, 32)
	b.want(0, "random_get", other, 32)
	if x, y := a.bytes(at, 32), b.bytes(other, 32); bytes.Equal(x, y) || bytes.Equal(x, make([]byte, 32)) {
		t.Errorf("two instances got %x and %x", x, y)
	}
	ended, cancel := context.WithCancel(a.ctx)
	cancel()
	b.sandbox.SetContext(ended)
	b.want(sys.EINTR, "random_get", other, 32)
	a.ctx = ended
	a.want(sys.EINTR, "random_get", at, 32)
}

func TestClocksAreCoarse(t *testing.T) {
	g := newGuest(t, Policy{})
	result := g.space(8)
	for _, clock := range []uint64{clockRealtime, clockMonotonic} {
		g.want(0, "clock_res_get", clock, result)
		wantEqual(t, "resolution", g.u64(result), 1000)
		for range 100 {
			g.want(0, "clock_time_get", clock, 1, result)
			wantEqual(t, "part of a microsecond", g.u64(result)%1000, 0)
		}
	}
}

func TestClocksAreReal(t *testing.T) {
	g := newGuest(t, Policy{})
	result := g.space(8)
	for clock, now := range map[uint64]func() int64{
		clockRealtime:  func() int64 { return coarse(time.Now().UnixNano()) },
		clockMonotonic: nanotime,
	} {
		before := now()
		g.want(0, "clock_time_get", clock, 1, result)
		got, after := int64(g.u64(result)), now()
		if got < before || got > after {
			t.Errorf("clock %d is %d, not within %d and %d", clock, got, before, after)
		}
	}
}

func TestCallWithoutSandboxFails(t *testing.T) {
	g := newGuest(t, testPolicy(t))
	_, err := g.module.ExportedFunction("fd_close").Call(t.Context(), 9)
	want := "wasi: the context of this call carries no sandbox: make it with Sandbox.Context"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestForeignFunctionsFail(t *testing.T) {
	sandbox, err := testPolicy(t).NewSandbox()
	must(t, err)
	defer func() { must(t, sandbox.Close()) }()
	runtime := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer func() { must(t, runtime.Close(context.Background())) }()
	wasi_snapshot_preview1.MustInstantiate(t.Context(), runtime)
	must(t, instantiateExtensions(t.Context(), runtime))
	module, err := runtime.InstantiateWithConfig(t.Context(), wrapperModule(), ModuleConfig())
	must(t, err)
	_, err = module.ExportedFunction("fd_prestat_get").Call(t.Context(), 3, 8)
	want := "wasi: the guest is linked with wazero's own WASI functions: link it with wasi.Instantiate"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// TestAppIsReadOnly is row 32 of the attacks: nothing a guest does reaches the bundle.
func TestAppIsReadOnly(t *testing.T) {
	_, in := outside(t)
	g := newGuest(t, Policy{Mounts: []Mount{mountOf("/app", readOnlyDirIn(t, in))}})
	g.wantOpen(sys.EROFS, 3, "new.pyc", openCreate|openExclusive, bothRights)
	g.wantOpen(sys.EROFS, 3, "file", openTruncate, bothRights)
	g.want(sys.EROFS, "path_create_directory", g.at(3, "__pycache__")...)
	g.want(sys.EROFS, "path_unlink_file", g.at(3, "file")...)
	content, err := os.ReadFile(filepath.Join(in, "file"))
	must(t, err)
	wantEqual(t, "content", string(content), "inside")
}

// TestEveryKindOfDescriptor asks the same of files and directories in each kind of mount.
func TestEveryKindOfDescriptor(t *testing.T) {
	policy := testPolicy(t)
	policy.Mounts = append(policy.Mounts, mountOf("/usr", testArchive(t)))
	const archiveFD = 6
	g := newGuest(t, policy)
	for _, mount := range []uint64{dataFD, tmpFD} {
		g.want(0, "path_create_directory", g.at(mount, "sub")...)
		g.want(0, "fd_close", g.mustOpen(mount, "file", openCreate, bothRights, 0))
	}
	st := g.space(fileStatSize)
	one := g.vectors(g.put([]byte("x")), 1)
	for _, tc := range []struct {
		mount           uint64
		file, dir       string
		times, truncate sys.Errno
	}{
		{appFD, "file", "sub", sys.EROFS, sys.EROFS},
		{dataFD, "file", "sub", 0, sys.EBADF},
		{tmpFD, "file", "sub", 0, sys.EBADF},
		{archiveFD, "etc/name", "usr", sys.EROFS, sys.EROFS},
	} {
		fd := g.mustOpen(tc.mount, tc.file, 0, rightRead, 0)
		g.want(0, "fd_filestat_get", fd, st)
		wantEqual(t, "type", g.bytes(st, fileStatSize)[16], byte(typeRegularFile))
		number := g.u64(st + 8)
		ptr, length := g.path(tc.file)
		g.want(0, "path_filestat_get", tc.mount, follow, ptr, length, st)
		wantEqual(t, "number by path", g.u64(st+8), number)
		g.want(0, "fd_sync", fd)
		g.want(0, "fd_datasync", fd)
		g.want(0, "fd_fdstat_set_flags", fd, fdflagAppend)
		g.want(tc.times, "fd_filestat_set_times", fd, 1, 1, 1|4)
		g.want(tc.truncate, "fd_filestat_set_size", fd, 1)
		g.want(sys.EBADF, "fd_write", fd, one[0], one[1], st)
		g.want(sys.EBADF, "fd_pwrite", fd, one[0], one[1], 0, st)
		g.want(sys.EINVAL, "path_readlink", tc.mount, ptr, length, st, 8, st)

		name, nameLength := g.path(tc.dir)
		for _, fd := range []uint64{tc.mount, g.mustOpen(tc.mount, tc.dir, openDirectory, rightRead, 0)} {
			g.want(0, "fd_filestat_get", fd, st)
			wantEqual(t, "type", g.bytes(st, fileStatSize)[16], byte(typeDirectory))
			g.want(0, "fd_sync", fd)
			g.want(0, "fd_datasync", fd)
			g.want(tc.times, "fd_filestat_set_times", fd, 1, 1, 1|4)
			g.want(sys.EISDIR, "fd_filestat_set_size", fd, 1)
			g.want(sys.EISDIR, "fd_write", fd, one[0], one[1], st)
			g.want(sys.EISDIR, "fd_pwrite", fd, one[0], one[1], 0, st)
			g.want(sys.EISDIR, "fd_pread", fd, one[0], one[1], 0, st)
			g.want(0, "fd_fdstat_get", fd, st)
			wantEqual(t, "type", g.bytes(st, 1)[0], byte(typeDirectory))
		}
		g.want(sys.EINVAL, "path_readlink", tc.mount, name, nameLength, st, 8, st)
	}
}
