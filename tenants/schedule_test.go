package tenants

import (
	"testing"
	"time"
)

func TestSchedule(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ text, from, next string }{
		{"* * * * *", "2026-11-25 20:30", "2026-11-25 20:31"},
		{"*/15 * * * *", "2026-11-25 20:30", "2026-11-25 20:45"},
		{"5,50 * * * *", "2026-11-25 20:30", "2026-11-25 20:50"},
		{"0 3 * * *", "2026-11-25 20:30", "2026-11-26 03:00"},
		{"30 8-10 * * mon-fri", "2026-11-27 10:30", "2026-11-30 08:30"},
		{"0 0 29 feb *", "2026-11-25 20:30", "2028-02-29 00:00"},
		{"0 0 1 * sun", "2026-11-25 20:30", "2026-11-29 00:00"}, // either
		{"0 0 1 * 7", "2026-11-30 00:00", "2026-12-01 00:00"},
		{"10/20 * * * *", "2026-11-25 20:30", "2026-11-25 20:50"},
		{"@hourly", "2026-11-25 20:30", "2026-11-25 21:00"},
		{"@yearly", "2026-11-25 20:30", "2027-01-01 00:00"},
	} {
		s, err := ParseSchedule(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		next, comes := s.Next(at(c.from))
		if !comes || !next.Equal(at(c.next)) || !s.Due(next) {
			t.Errorf("%s after %s: %v, want %s", c.text, c.from, next, c.next)
		}
	}
	for _, text := range []string{"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *", "-1 * * * *", "+1 * * * *", "1- * * * *", "@never", "*/99999999999999999999 * * * *"} {
		if _, err := ParseSchedule(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if s, err := ParseSchedule("0 0 30 2 *"); err != nil {
		t.Error(err)
	} else if next, comes := s.Next(at("2026-11-25 20:30")); comes {
		t.Errorf("the 30th of February is %v", next)
	}
}

func TestJobs(t *testing.T) {
	for what, c := range map[string]struct {
		text string
		ok   bool
	}{
		"/tasks/x?a=1": {"@daily", true}, "manage.py 'a b' c": {"@daily", true}, "": {"@daily", false}, "/a b": {"@daily", false},
		"-m job": {"daily", false}, "-c x": {"0 0 30 2 *", false},
	} {
		if err := checkJob(what, c.text); (err == nil) != c.ok {
			t.Errorf("%q %q: %v", what, c.text, err)
		}
	}
	m := Manifest{Cron: map[string]string{"manage.py 'a b' c": "@daily", "/x": "@hourly"}}
	jobs := m.Jobs()
	if len(jobs) != 2 || !jobs[0].Path() || jobs[1].Path() || len(jobs[1].Args()) != 3 || jobs[1].Args()[1] != "a b" {
		t.Errorf("%+v", jobs)
	}
}

func FuzzParseSchedule(f *testing.F) {
	f.Add("*/5 8-18 1,15 jan-mar mon")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSchedule(text)
		if err != nil {
			return
		}
		from := time.Date(2026, 11, 25, 20, 30, 0, 0, time.UTC)
		if next, comes := s.Next(from); comes && (!next.After(from) || !s.Due(next)) {
			t.Errorf("%q: %v", text, next)
		}
	})
}
