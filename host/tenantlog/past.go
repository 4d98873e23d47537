package tenantlog

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// past is what a File held at one moment. The files that were full then have other
// numbers by now, and the oldest may be gone.
type past struct {
	file  *File
	turns int   // of the file then
	size  int64 // of the file that was written to
}

// past is nil for a log without files.
func (f *File) past() *past {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &past{file: f, turns: f.turns, size: f.used}
	if f.file == nil {
		p.size = 0
		if info, err := os.Stat(f.path); err == nil && info.Mode().IsRegular() {
			p.size = info.Size()
		}
	}
	return p
}

// open finds the file that had the number n then, 0 for the one that was written
// to, and the size that it had.
func (p *past) open(n int) (*os.File, int64, error) {
	p.file.mu.Lock()
	defer p.file.mu.Unlock()
	path := p.file.path
	if now := n + p.file.turns - p.turns; now > p.file.keep {
		return nil, 0, fs.ErrNotExist
	} else if now > 0 {
		path = p.file.older(now)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	if n == 0 {
		return file, min(p.size, info.Size()), nil
	}
	return file, info.Size(), nil
}

// place is where a record begins.
type place struct {
	file int
	at   int64
}

// read calls each for the last n records, -1 for all, of those before the newest
// skip, without those before since.
func (p *past) read(skip, n int, since time.Time, each func(Line) error) error {
	start, found, err := p.find(skip, n, since)
	if err != nil || found == 0 {
		return err
	}
	var last time.Time
	for ; start.file >= 0 && found > 0; start = (place{start.file - 1, 0}) {
		err := p.lines(start, func(text []byte) error {
			if found == 0 {
				return io.EOF
			}
			found--
			l := readRecord(text, last)
			last = l.Time
			return each(l)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// find goes backwards from the end: where the records begin that read is asked
// for, and how many they are.
func (p *past) find(skip, n int, since time.Time) (start place, found int, err error) {
	for number := 0; ; number++ {
		f, size, err := p.open(number)
		if errors.Is(err, fs.ErrNotExist) && number > p.file.keep {
			return start, found, nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing was written since the last turn
		}
		if err != nil {
			return start, 0, err
		}
		more, err := starts(f, size, func(at int64) bool {
			if skip > 0 {
				skip--
				return true
			}
			if found == n || before(f, at, since) {
				return false
			}
			start = place{number, at}
			found++
			return true
		})
		if err = errors.Join(err, f.Close()); err != nil || !more {
			return start, found, err
		}
	}
}

// starts calls each with where the lines of f begin, the last first, until it is
// false.
func starts(f io.ReaderAt, size int64, each func(at int64) bool) (more bool, err error) {
	buf := make([]byte, 64<<10)
	for end := size - 1; end > 0; { // the last line's own end begins none
		part := buf[:min(end, int64(len(buf)))]
		end -= int64(len(part))
		if _, err := f.ReadAt(part, end); err != nil {
			return false, err
		}
		for i := bytes.LastIndexByte(part, '\n'); i >= 0; i = bytes.LastIndexByte(part[:i], '\n') {
			if !each(end + int64(i) + 1) {
				return false, nil
			}
		}
	}
	return size == 0 || each(0), nil
}

// before says whether the record at a place is older than a time, as far as it has
// one.
func before(f io.ReaderAt, at int64, since time.Time) bool {
	if since.IsZero() {
		return false
	}
	var head [64]byte
	n, err := f.ReadAt(head[:], at)
	if err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	t, ok := timeOf(head[:n])
	return ok && t.Before(since)
}

// lines calls each for the lines of one file from a place on; io.EOF of each ends
// it. A file that is gone has none.
func (p *past) lines(from place, each func([]byte) error) error {
	f, size, err := p.open(from.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReader(io.NewSectionReader(f, from.at, size-from.at))
	for {
		text, err := in.ReadBytes('\n')
		if len(text) > 0 {
			if err := each(bytes.TrimSuffix(text, []byte("\n"))); err != nil {
				return dropEOF(err)
			}
		}
		if err != nil {
			return dropEOF(err)
		}
	}
}

func dropEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
