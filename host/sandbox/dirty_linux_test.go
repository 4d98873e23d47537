package sandbox

import (
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
