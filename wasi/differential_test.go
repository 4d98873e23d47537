package wasi

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
	"pgregory.net/rapid"
)

// TestMemoryIsLikeTheKernel does the same random operations on a Memory and on a WritableDir, behind which is the
// kernel, and wants the same numbers, bytes and errors from both. Both have the same room for files.
func TestMemoryIsLikeTheKernel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "wasi")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		disk, err := WritableDir(dir, NewQuota(1<<40, 12))
		if err != nil {
			t.Fatal(err)
		}
		p := &pair{t: t, fs: [2]FS{Memory(1<<40, 12), disk}}
		defer p.close()
		t.Repeat(map[string]func(*rapid.T){
			"open":     p.open,
			"mkdir":    p.each(func(fsys FS, path string) string { return fmt.Sprint(fsys.Mkdir(path, 0o700)) }),
			"rmdir":    p.each(func(fsys FS, path string) string { return fmt.Sprint(fsys.Rmdir(path)) }),
			"unlink":   p.each(func(fsys FS, path string) string { return fmt.Sprint(fsys.Unlink(path)) }),
			"stat":     p.each(statOfPath),
			"lstat":    p.each(func(fsys FS, path string) string { return showStat(fsys.Lstat(path)) }),
			"readlink": p.each(func(fsys FS, path string) string { return fmt.Sprint(fsys.Readlink(path)) }),
			"utimens":  p.each(utimens),
			"list":     p.each(listing1),
			"rename":   p.rename,
			"write":    p.write,
			"read":     p.read,
			"truncate": p.truncate,
			"seek":     p.seek,
			"append":   p.append,
			"fstat":    p.fstat,
			"close":    p.closeOne,
			"":         p.compare,
		})
	})
}

// pair is two file systems and the files that are open in both.
type pair struct {
	t     *rapid.T
	fs    [2]FS
	files [][2]File
}

var somePath = rapid.OneOf(
	rapid.SampledFrom([]string{"a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "e", "e/a", "e/d", "e/d/a", "a/a"}),
	rapid.SampledFrom([]string{".", "./", "a/", "d/", "d/e/", "d/.", "d/..", "d/../a", "..", "/a", "", "none/a", "x/.."}),
)

var someSize = rapid.OneOf(rapid.Int64Range(0, 20), rapid.SampledFrom([]int64{4095, 4096, 4097, 12000, -1}))

// same calls do on both and wants the same description.
func (p *pair) same(t *rapid.T, what string, do func(i int) string) {
	memory, disk := do(0), do(1)
	if memory != disk {
		t.Fatalf("%s: memory says %s, the disk %s", what, memory, disk)
	}
}

func (p *pair) each(do func(fsys FS, path string) string) func(*rapid.T) {
	return func(t *rapid.T) {
		path := somePath.Draw(t, "path")
		p.same(t, path, func(i int) string { return do(p.fs[i], path) })
	}
}

func showStat(st stat, errno sys.Errno) string {
	if errno != 0 {
		return errno.Error()
	}
	if st.Mode.IsDir() {
		return "directory"
	}
	return fmt.Sprintf("%v, %d bytes, %d links", st.Mode.Type(), st.Size, st.Nlink)
}

func statOfPath(fsys FS, path string) string { return showStat(fsys.Stat(path)) }

func utimens(fsys FS, path string) string {
	if errno := fsys.Utimens(path, sys.UTIME_OMIT, 5_000_000_007); errno != 0 {
		return errno.Error()
	}
	st, errno := fsys.Stat(path)
	return fmt.Sprint(st.Mtim, errno)
}

func listing1(fsys FS, path string) string {
	f, errno := fsys.OpenFile(path, sys.O_DIRECTORY, 0)
	if errno != 0 {
		return errno.Error()
	}
	defer f.Close()
	var entries []string
	for {
		some, errno := f.Readdir(2)
		if errno != 0 {
			return errno.Error()
		}
		for _, e := range some {
			entries = append(entries, fmt.Sprint(e.Name, e.Type))
		}
		if len(some) < 2 {
			break
		}
	}
	slices.Sort(entries)
	return fmt.Sprint(entries)
}

var someFlags = rapid.Custom(func(t *rapid.T) sys.Oflag {
	flag := rapid.SampledFrom([]sys.Oflag{sys.O_RDONLY, sys.O_RDWR, sys.O_WRONLY}).Draw(t, "mode")
	for _, f := range []sys.Oflag{sys.O_CREAT, sys.O_EXCL, sys.O_APPEND, sys.O_TRUNC, sys.O_NOFOLLOW} {
		if rapid.Bool().Draw(t, "flag") {
			flag |= f
		}
	}
	if flag&sys.O_CREAT == 0 {
		flag &^= sys.O_EXCL // without O_CREAT its effect is undefined
	}
	return flag
})

func (p *pair) open(t *rapid.T) {
	path, flag := somePath.Draw(t, "path"), someFlags.Draw(t, "flags")
	var opened [2]File
	p.same(t, "open", func(i int) string {
		f, errno := p.fs[i].OpenFile(path, flag, 0o600)
		opened[i] = f
		return fmt.Sprintf("%v %#x", errno, uint16(errno))
	})
	if opened[0] == nil {
		return
	}
	isDir, _ := opened[0].IsDir()
	if isDir || len(p.files) == 6 {
		p.same(t, "close", func(i int) string { return fmt.Sprint(opened[i].Close()) })
		return
	}
	p.files = append(p.files, opened)
}

func (p *pair) file(t *rapid.T) [2]File {
	if len(p.files) == 0 {
		t.Skip("no file is open")
	}
	return p.files[rapid.IntRange(0, len(p.files)-1).Draw(t, "file")]
}

func (p *pair) rename(t *rapid.T) {
	from, to := somePath.Draw(t, "from"), somePath.Draw(t, "to")
	p.same(t, "rename", func(i int) string {
		errno := p.fs[i].Rename(from, to)
		if errno == sys.ENOTDIR {
			errno = sys.ENOENT // which of two paths is looked at first is nobody's business
		}
		return fmt.Sprintf("%v %#x", errno, uint16(errno))
	})
}

func (p *pair) write(t *rapid.T) {
	f, size := p.file(t), max(someSize.Draw(t, "size"), 0)
	data := make([]byte, size)
	for i := range data {
		data[i] = byte('a' + (i+len(p.files))%26)
	}
	if rapid.Bool().Draw(t, "positioned") {
		off := someSize.Draw(t, "offset")
		p.same(t, "pwrite", func(i int) string { return fmt.Sprint(f[i].Pwrite(data, off)) })
		return
	}
	p.same(t, "write", func(i int) string { return fmt.Sprint(f[i].Write(data)) })
}

func (p *pair) read(t *rapid.T) {
	f, size := p.file(t), max(someSize.Draw(t, "size"), 0)
	off, positioned := someSize.Draw(t, "offset"), rapid.Bool().Draw(t, "positioned")
	p.same(t, "read", func(i int) string {
		buf := make([]byte, size)
		var n int
		var errno sys.Errno
		if positioned {
			n, errno = f[i].Pread(buf, off)
		} else {
			n, errno = f[i].Read(buf)
		}
		return fmt.Sprintf("%q %v", buf[:n], errno)
	})
}

func (p *pair) truncate(t *rapid.T) {
	f, size := p.file(t), someSize.Draw(t, "size")
	p.same(t, "truncate", func(i int) string { return fmt.Sprint(f[i].Truncate(size)) })
}

func (p *pair) seek(t *rapid.T) {
	f, offset, whence := p.file(t), someSize.Draw(t, "offset"), rapid.IntRange(0, 3).Draw(t, "whence")
	p.same(t, "seek", func(i int) string { return fmt.Sprint(f[i].Seek(offset, whence)) })
}

func (p *pair) append(t *rapid.T) {
	f, enable := p.file(t), rapid.Bool().Draw(t, "enable")
	p.same(t, "append", func(i int) string { return fmt.Sprint(f[i].SetAppend(enable), f[i].IsAppend()) })
}

func (p *pair) fstat(t *rapid.T) {
	f := p.file(t)
	p.same(t, "fstat", func(i int) string { return showStat(f[i].Stat()) })
}

func (p *pair) closeOne(t *rapid.T) {
	f := p.file(t)
	p.files = slices.DeleteFunc(p.files, func(open [2]File) bool { return open == f })
	p.same(t, "close", func(i int) string { return fmt.Sprint(f[i].Close(), f[i].Close()) })
}

// compare checks after each operation what the two agree on all the time.
func (p *pair) compare(t *rapid.T) {
	_, files := p.fs[0].(*memory).usage()
	_, counted := p.fs[1].(*writableDir).quota.Usage()
	if int64(files) != counted {
		t.Fatalf("memory counts %d files, the quota %d", files, counted)
	}
}

func (p *pair) close() {
	for _, f := range p.files {
		for i := range f {
			if errno := f[i].Close(); errno != 0 {
				p.t.Errorf("close: %v", errno)
			}
		}
	}
	if blocks, _ := p.fs[0].(*memory).usage(); blocks < 0 {
		p.t.Errorf("%d blocks are in use", blocks)
	}
	q := p.fs[1].(*writableDir).quota
	if len(q.open) != 0 {
		p.t.Errorf("%d files are still registered", len(q.open))
	}
	bytes, files, err := usageBelow(p.fs[1].(*writableDir).root)
	if b, f := q.Usage(); err != nil || b != bytes || f != files {
		p.t.Errorf("the quota counts %d bytes, %d files; there are %d, %d (%v)", b, f, bytes, files, err)
	}
	_ = p.fs[1].(*writableDir).Close()
}
