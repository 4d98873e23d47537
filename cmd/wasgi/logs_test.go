package main

import (
	"testing"
	"time"
)

func TestSince(t *testing.T) {
	zone := time.FixedZone("", 3600)
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, zone)
	for text, want := range map[string]string{
		"90s": "2026-01-31T11:58:30+01:00", "2h": "2026-01-31T10:00:00+01:00", "0s": "2026-01-31T12:00:00+01:00",
		"2026-01-30": "2026-01-30T00:00:00+01:00", "2026-01-30 15:04": "2026-01-30T15:04:00+01:00", "2026-01-30 15:04:05": "2026-01-30T15:04:05+01:00",
		"2026-01-30T15:04": "2026-01-30T15:04:00+01:00", "15:04": "2026-01-31T15:04:00+01:00", "03:04:05": "2026-01-31T03:04:05+01:00",
		"2026-01-30T15:04:05Z": "2026-01-30T15:04:05Z",
	} {
		if got, err := sinceOf(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %v %v, want %s", text, got, err, want)
		}
	}
	if got, err := sinceOf("", now); err != nil || !got.IsZero() {
		t.Error(got, err)
	}
	for _, text := range []string{"-1h", "yesterday", "2026-13-01", "5"} {
		if got, err := sinceOf(text, now); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
