package tenants

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schedule says at which minutes a job is due, as crontab(5) does: minute, hour,
// day of the month, month, day of the week, in UTC.
type Schedule struct {
	minute, hour, day, month, weekday uint64 // bits
	anyDay, anyWeekday                bool   // written with a star
}

// ParseSchedule reads five fields with *, lists, ranges and steps ("*/5 8-18 * *
// 1-5"), names of months and days, or one of @hourly, @daily, @weekly, @monthly and
// @yearly.
func ParseSchedule(text string) (Schedule, error) {
	if whole, found := map[string]string{
		"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
	}[text]; found {
		text = whole
	}
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return Schedule{}, fmt.Errorf("%q is no schedule: write minute, hour, day, month and weekday, like \"*/5 * * * *\", or @daily", text)
	}
	var s Schedule
	for i, f := range []struct {
		name        string
		bits        *uint64
		least, most int
		words       []string // for least, least+1 and so on
	}{
		{"minute", &s.minute, 0, 59, nil}, {"hour", &s.hour, 0, 23, nil}, {"day", &s.day, 1, 31, nil},
		{"month", &s.month, 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
		{"weekday", &s.weekday, 0, 7, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
	} {
		for part := range strings.SplitSeq(fields[i], ",") {
			bits, ok := partBits(part, f.least, f.most, f.words)
			if !ok {
				return Schedule{}, fmt.Errorf("%q: the %s %q is not within %d to %d, a range, or a step like */5", text, f.name, part, f.least, f.most)
			}
			*f.bits |= bits
		}
	}
	s.anyDay, s.anyWeekday = strings.HasPrefix(fields[2], "*"), strings.HasPrefix(fields[4], "*")
	if s.weekday>>7 == 1 { // Sunday is 0 and 7
		s.weekday = s.weekday&^(1<<7) | 1
	}
	return s, nil
}

// partBits reads one of a list: *, n, n-m, each with /step behind it.
func partBits(part string, least, most int, words []string) (bits uint64, ok bool) {
	span, stepText, stepped := strings.Cut(part, "/")
	step := 1
	if stepped {
		var err error
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 || step > most {
			return 0, false
		}
	}
	from, to := least, most
	if span != "*" {
		first, last, ranged := strings.Cut(span, "-")
		if from, ok = number(first, least, words); !ok {
			return 0, false
		}
		to = from
		if ranged {
			if to, ok = number(last, least, words); !ok {
				return 0, false
			}
		} else if stepped {
			to = most
		}
	}
	if from < least || to > most || from > to {
		return 0, false
	}
	for n := from; n <= to; n += step {
		bits |= 1 << n
	}
	return bits, true
}

func number(text string, least int, words []string) (int, bool) {
	if i := slices.Index(words, strings.ToLower(text)); i >= 0 {
		return least + i, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && text[0] != '+'
}

// Due says whether a job is due in the minute of t. As in crontab(5), when both
// the day of the month and the weekday are given, either is enough.
func (s Schedule) Due(t time.Time) bool {
	t = t.UTC()
	has := func(bits uint64, n int) bool { return bits>>n&1 == 1 }
	day, weekday := has(s.day, t.Day()), has(s.weekday, int(t.Weekday()))
	onDay := day && weekday
	if !s.anyDay && !s.anyWeekday {
		onDay = day || weekday
	}
	return has(s.minute, t.Minute()) && has(s.hour, t.Hour()) && has(s.month, int(t.Month())) && onDay
}

// horizon is how far Next looks: a 29th of February comes within 8 years.
const horizon = 9 * 366 * 24 * time.Hour

// Next is the first minute after t in which a job is due; false for one that never
// comes, such as the 30th of February.
func (s Schedule) Next(t time.Time) (time.Time, bool) {
	end := t.Add(horizon)
	t = t.UTC().Truncate(time.Minute).Add(time.Minute)
	for t.Before(end) {
		if s.Due(t) {
			return t, true
		}
		switch {
		case s.month>>int(t.Month())&1 == 0:
			t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		case s.hour>>t.Hour()&1 == 0:
			t = t.Truncate(time.Hour).Add(time.Hour)
		default:
			t = t.Add(time.Minute)
		}
	}
	return time.Time{}, false
}

// Job is something that a tenant has done at times.
type Job struct {
	// What is a path of the application that is requested with GET, or Python's command
	// line.
	What     string
	Schedule Schedule
	Text     string // the schedule as it is written
}

// Path says whether the job is a request.
func (j Job) Path() bool { return strings.HasPrefix(j.What, "/") }

// Args is Python's command line of a job that is no request.
func (j Job) Args() []string { return shellWords(j.What) }

// Jobs are those of the manifest, which has been checked, by name.
func (m *Manifest) Jobs() []Job {
	var out []Job
	for what, text := range m.Cron {
		if s, err := ParseSchedule(text); err == nil {
			out = append(out, Job{what, s, text})
		}
	}
	slices.SortFunc(out, func(a, b Job) int { return strings.Compare(a.What, b.What) })
	return out
}

// maxJobs is how many jobs a tenant may have.
const maxJobs = 100

// checkJob says what is wrong with a job.
func checkJob(what, text string) error {
	if strings.HasPrefix(what, "/") {
		if err := checkWarmup(what); err != nil {
			return err
		}
	} else if len(shellWords(what)) == 0 || strings.ContainsAny(what, "\x00\n") {
		return fmt.Errorf("%q is neither a path like \"/tasks/hourly\" nor a command line like \"manage.py clearsessions\"", what)
	}
	s, err := ParseSchedule(text)
	if err != nil {
		return err
	}
	if _, comes := s.Next(time.Unix(0, 0)); !comes {
		return fmt.Errorf("%q never comes", text)
	}
	return nil
}
