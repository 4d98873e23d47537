package sandbox

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFindDirtyPages compares both ways on a mapping with every kind of page:
// never touched, read, written, in a hole, and more runs than fit the
// kernel's answer at once.
func TestFindDirtyPages(t *testing.T) {
	d, err := openDirtyPages()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, d.Close()) }()
	const pages = 1024
	page := d.pageSize
	f, err := memoryFile("test")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(pages * page)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("data"), int64(5*page)); err != nil {
		t.Fatal(err)
	}
	b, err := reserve(pages * page)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, unmap(b)) }()
	if err := mapPrivate(b, f, 0); err != nil {
		t.Fatal(err)
	}
	for i := range uint64(pages) {
		_ = mapPages(b[i*page : (i+1)*page]) // reads, which makes nothing private
	}
	var want []pageRun
	for i := uint64(0); i < pages; i += 3 {
		b[i*page] = 1
		b[(i+1)*page-1] = 1
		want = append(want, pageRun{i * page, (i + 1) * page})
	}
	for _, scan := range []bool{d.scan, false} {
		way := *d
		way.scan = scan
		s := new(scratch)
		for range 2 {
			if err := way.find(b, s); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, s.runs, cmp.AllowUnexported(pageRun{})); diff != "" {
				t.Errorf("scan=%v: %s", scan, diff)
			}
		}
	}
	if err := mapPrivate(b, f, 0); err != nil {
		t.Fatal(err)
	}
	s := new(scratch)
	if err := d.find(b, s); err != nil || len(s.runs) != 0 {
		t.Errorf("after a new mapping: %v, %v", s.runs, err)
	}
}

// TestNoPageIsMissed: whatever is known, a page that was written to since is
// found; after every write, by the guest's thread or by another, in the program
// or by the kernel for it, with and without the counter.
func TestNoPageIsMissed(t *testing.T) {
	d, err := openDirtyPages()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, d.Close()) }()
	f, err := memoryFile("test")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const pages = 300
	page := d.pageSize
	if err := f.Truncate(int64(pages * page)); err != nil {
		t.Fatal(err)
	}
	b, err := reserve(pages * page)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, unmap(b)) }()
	write := func(i uint64) {
		p := b[i*page : (i+1)*page]
		switch i % 3 {
		case 0:
			p[0] = 1
		case 1:
			done := make(chan struct{})
			go func() { p[0] = 1; close(done) }()
			<-done
		default:
			if _, err := f.ReadAt(p[:1], 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, counts := range []bool{d.counts, false} {
		way := *d
		way.counts = counts
		if err := mapPrivate(b, f, 0); err != nil {
			t.Fatal(err)
		}
		_ = mapPages(b)
		s := new(scratch)
		for i := range uint64(pages) {
			write(i)
			for range 3 {
				if err := way.refind(b, s); err != nil {
					t.Fatal(err)
				}
				if want := []pageRun{{0, (i + 1) * page}}; !slices.Equal(s.runs, want) {
					t.Fatalf("counts=%v: %v after page %d was written to", counts, s.runs, i)
				}
			}
		}
	}
}
