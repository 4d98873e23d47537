package host

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wasgi/wasgi/tenants"
)

// greedy asks for all that a manifest can ask for.
const greedy = `[limits]
open_files = 65536
[instances]
weight = 1000
max = 1024
min = 1024
[warmup]
timeout = "1h"
[data]
quota = "1TiB"
files = 10000000
tmp = "4GiB"
`

// TestManifestStaysBelowTheHost: a manifest is the tenant's word. What it may
// fill, disk and memory of the host above all, is the operator's.
func TestManifestStaysBelowTheHost(t *testing.T) {
	built := make(chan tenants.Manifest, 1)
	r := start(t, setup{app: sayVersion, tenants: []string{"other"}, maker: func(m *fakeMaker) {
		m.building = func(a application, _ string) error {
			if a.tenant.Name == "app" {
				built <- a.tenant.Manifest
			}
			return nil
		}
	}})
	r.ready("other")
	r.manifest("app", greedy)
	r.write("app", "1")
	r.event(EventReady, "app")
	want := manifestDefaults(testConfig(t, r.root))
	want.Instances.Max, want.Instances.Min = 1024, want.Instances.Max
	want.Warmup.Timeout.Duration = want.Limits.StartTimeout.Duration
	if diff := cmp.Diff(want, <-built, cmpopts.IgnoreFields(tenants.Manifest{}, "Files", "Entry")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, key := range []string{"limits.open_files", "instances.min", "instances.weight", "warmup.timeout", "data.quota", "data.files", "data.tmp"} {
		if !strings.Contains(r.log.String(), key) {
			t.Errorf("the log does not name %s:\n%s", key, r.log)
		}
	}
}

func TestModestManifestIsLeftAlone(t *testing.T) {
	c := testConfig(t, t.TempDir())
	m := manifestDefaults(c)
	m.Data.Tmp, m.Data.Quota, m.Limits.OpenFiles = 1, 1, 8
	got, lowered := withinCeilings(m, c)
	if diff := cmp.Diff(m, got); diff != "" || lowered != nil {
		t.Errorf("lowered %v, -want +got:\n%s", lowered, diff)
	}
}
