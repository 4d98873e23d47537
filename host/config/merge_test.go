package config

import (
	"slices"
	"testing"
	"time"
)

func TestMerge(t *testing.T) {
	running := Default(nil, 1000)
	wanted := running
	wanted.Listen, wanted.Slots = "127.0.0.1:1", running.Slots+1
	wanted.RequestTimeout, wanted.LogLevel = time.Second, "debug"
	got, c := Merge(running, wanted)
	if !slices.Equal(c.Applied, []string{"request_timeout", "log_level"}) || !slices.Equal(c.Tenants, []string{"request_timeout"}) || !slices.Equal(c.Kept, []string{"listen", "slots"}) {
		t.Errorf("%+v", c)
	}
	if got.Listen != running.Listen || got.Slots != running.Slots || got.RequestTimeout != time.Second || got.LogLevel != "debug" {
		t.Errorf("%+v", got)
	}
	if _, c := Merge(running, running); len(c.Applied)+len(c.Kept) > 0 {
		t.Errorf("nothing differs, but %+v", c)
	}
}

// Each tag is one that Merge knows.
func TestReloadTags(t *testing.T) {
	c := Default(nil, 1000)
	for _, f := range fields(&c) {
		if !slices.Contains([]string{"", "yes", "tenants"}, f.reload) {
			t.Errorf("%s: reload %q", f.key, f.reload)
		}
	}
}
