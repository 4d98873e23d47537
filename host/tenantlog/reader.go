package tenantlog

import (
	"log/slog"
	"slices"
	"strconv"
	"time"
)

// Reader reads a log from some line on, each line once. The newest lines are in
// memory; those before them are read from the files, where there are some. It is
// for one goroutine.
type Reader struct {
	log   *Log
	lines int
	since time.Time
	begun bool
	at    mark
}

// Read makes a reader that begins with the last lines of what there is at its first
// Next, -1 for all, without those before since; the zero time is none.
func (l *Log) Read(lines int, since time.Time) *Reader {
	return &Reader{log: l, lines: lines, since: since}
}

// Next calls each for all that was not read yet. It fails as each does, and as the
// files do.
func (r *Reader) Next(each func(Line) error) error {
	v := r.log.tail.after(r.at)
	r.at = v.at
	lines := v.lines
	var err error
	if r.begun {
		err = v.readMissing(each)
	} else {
		older := 0
		if lines, older = r.begin(v.lines); older != 0 && v.past != nil {
			err = v.past.read(v.filed, older, r.since, each)
		}
		r.begun = true
	}
	for _, l := range lines {
		if err == nil {
			err = each(l.Line)
		}
	}
	return err
}

// begin is what is to be read of the lines in memory, and how many before them.
func (r *Reader) begin(all []entry) (lines []entry, older int) {
	if !r.since.IsZero() {
		if i := slices.IndexFunc(all, func(e entry) bool { return !e.Time.Before(r.since) }); i != 0 && len(all) > 0 {
			if i < 0 {
				return nil, 0
			}
			all = all[i:]
			return all[r.excess(all):], 0
		}
	}
	if r.lines < 0 {
		return all, -1
	}
	return all[r.excess(all):], max(r.lines-len(all), 0)
}

// excess is how many of the lines are too many.
func (r *Reader) excess(all []entry) int {
	if r.lines < 0 {
		return 0
	}
	return max(len(all)-r.lines, 0)
}

// readMissing reads lines that memory does not hold any more.
func (v view) readMissing(each func(Line) error) error {
	switch {
	case v.missing == 0:
		return nil
	case v.past != nil:
		return v.past.read(v.filed, v.missing, time.Time{}, each)
	}
	return each(Line{
		Time: time.Now(), Level: slog.LevelWarn, Message: "lines were left out: this reader is too slow, and no files of the log are kept",
		Fields: map[string]string{"lines": strconv.Itoa(v.missing)},
	})
}
