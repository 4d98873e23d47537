package sandbox

import (
	"encoding/binary"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pagemapScan is the request number of PAGEMAP_SCAN, _IOWR('f', 16, struct
// pm_scan_arg), and the categories that matter here (linux/fs.h, Linux 6.7).
const (
	pagemapScan = 0xc0606610

	pageIsFile    = 1 << 2
	pageIsPresent = 1 << 3
	pageIsSwapped = 1 << 4
)

// Bits of an entry of /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst).
const (
	entryPresent = 1 << 63
	entrySwapped = 1 << 62
	entryFile    = 1 << 61
)

// scanArg is struct pm_scan_arg.
type scanArg struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages   uint64
	categoryInverted, categoryMask, categoryAnyOf, returnMask uint64
}

// scanRegion is struct page_region.
type scanRegion struct{ start, end, _ uint64 }

// scratch is what one search needs. It lives on the heap, in its instance,
// because the kernel is given its address as a number.
type scratch struct {
	regions [128]scanRegion
	entries [2048 * 8]byte
	runs    []pageRun
	known   bool  // runs are of the time of faults
	faults  int64 // of this process
}

// dirtyPages finds the private pages of a copy-on-write mapping: those that
// were written to since it was made. It is safe for concurrent use.
type dirtyPages struct {
	pagemap  *os.File
	fd       uintptr
	pageSize uint64
	scan     bool // the kernel has PAGEMAP_SCAN
	counts   bool // it counts the page faults of this process
}

// openDirtyPages opens the pagemap of this process and tries the ioctl.
func openDirtyPages() (*dirtyPages, error) {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return nil, fmt.Errorf("sandbox: finding dirty pages needs /proc: %w", err)
	}
	d := &dirtyPages{pagemap: f, fd: f.Fd(), pageSize: uint64(os.Getpagesize())}
	probe, err := reserve(d.pageSize)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	d.scan = d.scanPages(probe, new(scratch)) == nil
	d.counts = countsFaults(probe)
	return d, unmap(probe)
}

// countsFaults makes a page fault and looks whether it was counted: a kernel
// that only looks like Linux may not.
func countsFaults(page []byte) bool {
	before, ok := pageFaults()
	if !ok || commit(page) != nil {
		return false
	}
	page[0] = 1
	after, ok := pageFaults()
	return ok && after > before
}

// pageFaults is how many this process has had, in all of its threads.
func pageFaults() (n int64, ok bool) {
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) != nil {
		return 0, false
	}
	return usage.Minflt + usage.Majflt, true
}

// Close closes the pagemap.
func (d *dirtyPages) Close() error { return d.pagemap.Close() }

// refind is find for the same b as the last time. A page becomes private in a
// page fault and in no other way, and stays it until the next mapping: as long as
// this process has had no further fault the runs are what they were.
func (d *dirtyPages) refind(b []byte, s *scratch) error {
	faults, ok := pageFaults()
	if ok && d.counts && s.known && faults == s.faults {
		return nil
	}
	err := d.find(b, s)
	s.known, s.faults = ok && err == nil, faults
	return err
}

// find sets s.runs to the private pages of b, in order. b starts and ends at
// pages.
func (d *dirtyPages) find(b []byte, s *scratch) error {
	s.runs, s.known = s.runs[:0], false
	if d.scan {
		return d.scanPages(b, s)
	}
	return d.readEntries(b, s)
}

// scanPages asks the kernel for the runs.
func (d *dirtyPages) scanPages(b []byte, s *scratch) error {
	base := addressOf(b)
	arg := scanArg{
		start: base, end: base + uint64(len(b)),
		vec: uint64(uintptr(unsafe.Pointer(&s.regions))), vecLen: uint64(len(s.regions)),
		categoryInverted: pageIsFile, categoryMask: pageIsFile,
		categoryAnyOf: pageIsPresent | pageIsSwapped, returnMask: pageIsFile,
	}
	arg.size = uint64(unsafe.Sizeof(arg))
	for arg.start < arg.end {
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, d.fd, pagemapScan, uintptr(unsafe.Pointer(&arg)))
		if errno != 0 {
			return fmt.Errorf("sandbox: PAGEMAP_SCAN: %w", errno)
		}
		if n > uintptr(len(s.regions)) || arg.walkEnd <= arg.start {
			return fmt.Errorf("sandbox: PAGEMAP_SCAN stopped at %#x with %d regions", arg.walkEnd-base, n)
		}
		for _, r := range s.regions[:n] {
			s.runs = append(s.runs, pageRun{r.start - base, r.end - base})
		}
		arg.start = arg.walkEnd
	}
	return nil
}

// readEntries reads one entry for each page: what kernels before 6.7 offer.
func (d *dirtyPages) readEntries(b []byte, s *scratch) error {
	first := int64(addressOf(b)/d.pageSize) * 8
	total := len(b) / int(d.pageSize) * 8
	for done := 0; done < total; done += len(s.entries) {
		part := s.entries[:min(len(s.entries), total-done)]
		if _, err := d.pagemap.ReadAt(part, first+int64(done)); err != nil {
			return fmt.Errorf("sandbox: reading the pagemap: %w", err)
		}
		s.runs = d.appendRuns(s.runs, part, uint64(done/8)*d.pageSize)
	}
	return nil
}

func addressOf(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

func (d *dirtyPages) appendRuns(runs []pageRun, entries []byte, offset uint64) []pageRun {
	for i := 0; i < len(entries); i += 8 {
		e := binary.LittleEndian.Uint64(entries[i:])
		if e&(entryPresent|entrySwapped) != 0 && e&entryFile == 0 {
			runs = appendPage(runs, offset+uint64(i/8)*d.pageSize, d.pageSize)
		}
	}
	return runs
}

func appendPage(runs []pageRun, offset, size uint64) []pageRun {
	if n := len(runs); n > 0 && runs[n-1].end == offset {
		runs[n-1].end += size
		return runs
	}
	return append(runs, pageRun{offset, offset + size})
}
