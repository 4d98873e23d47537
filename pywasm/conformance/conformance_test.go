package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPinsAreWhole reads both tables and finds every pin that a suite names.
func TestPinsAreWhole(t *testing.T) {
	for _, s := range suites() {
		sdists := s.sdists
		if s.sdist != "" {
			sdists = append([]string{s.sdist}, s.sdists...)
		}
		if _, err := pinsOf("sdists.txt", sdists); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		if _, err := pinsOf("wheels.txt", s.wheels); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		if _, err := leftOutOf(s.name); err != nil {
			t.Error(err)
		}
	}
}

func TestParsePins(t *testing.T) {
	hash := strings.Repeat("0123456789abcdef", 4)
	got, err := parsePins("# text\n\na==1.0 --hash=sha256:"+hash+"\n", true)
	want := []pin{{"a", "1.0", hash, true}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(pin{})); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, bad := range []string{"a", "a==1", "a==1 --hash=sha256:12", "a==1 --hash=sha256:" + strings.Repeat("x", 64)} {
		if _, err := parsePins(bad, true); err == nil || !strings.Contains(err.Error(), "is not NAME==VERSION") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"a.b", "a.b", true},
		{"a.b", "a.bc", false},
		{"a[1]", "a[1]", true},
		{"a.*", "a.b.c", true},
		{"a.*.c", "a.b.c", true},
		{"a.*.c", "a.c", false},
		{"*", "", true},
		{"a*a", "a", false},
		{"*x*", "axb", true},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

// TestCollect makes one outcome of each test.
func TestCollect(t *testing.T) {
	for _, c := range []struct {
		what    string
		records []record
		end     ending
		want    []record
	}{
		{"all well", []record{{"a", started, ""}, {"a", passed, ""}, {"", finished, ""}}, ending{},
			[]record{{"a", passed, ""}}},
		{"the worst counts", []record{{"a", started, ""}, {"a", failed, "x"}, {"a", passed, ""}, {"", finished, ""}}, ending{status: 1},
			[]record{{"a", failed, "x"}}},
		{"a crash", []record{{"a", passed, ""}, {"b", started, ""}}, ending{status: 1, last: "trap"},
			[]record{{"a", passed, ""}, {"b", crashed, "status 1: trap"}}},
		{"out of time", []record{{"b", started, ""}}, ending{status: -1, overtime: true},
			[]record{{"b", crashed, "ran out of time"}}},
		{"no test to blame", []record{{"a", passed, ""}, {"", finished, ""}}, ending{status: 3, last: "env"},
			[]record{{"a", passed, ""}, {"unit", crashed, "status 3: env"}}},
		{"a silent end", []record{{"a", passed, ""}}, ending{},
			[]record{{"a", passed, ""}, {"unit", crashed, "status 0: "}}},
		{"no outcome", []record{{"a", started, ""}, {"", finished, ""}}, ending{},
			[]record{{"a", failed, "it ended without an outcome"}}},
	} {
		if diff := cmp.Diff(c.want, collect("unit", c.records, c.end).Tests); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

// TestJudge holds outcomes against a list.
func TestJudge(t *testing.T) {
	j := newJudge([]leftOut{{Reason: "r", Tests: []string{"known*", "stale", "gone"}}, {Reason: "r", Error: "*no thread*", Tests: []string{"t*", "u*"}}})
	got := j.take(result{Unit: "u", Tests: []record{{"a", passed, ""}, {"b", failed, "x"}, {"known1", failed, ""},
		{"known2", notRun, ""}, {"stale", passed, ""}, {"s", skipped, ""},
		{"t1", passed, ""}, {"t2", failed, "E: no thread"}, {"t3", failed, "E: other"}, {"u", passed, ""}}})
	if diff := cmp.Diff(unitCount{Unit: "u", Passed: 3, Skipped: 1, LeftOut: 3, Failed: 3,
		ByError: map[string][]string{"*no thread*": {"t2"}}}, got); diff != "" {
		t.Error(diff)
	}
	want := []string{"b failed: x", "stale passes: take it off the list of what is left out", "t3 failed: E: other",
		"gone is on the list of what is left out, but there is no such test",
		"u* is on the list of what is left out, but there is no such test"}
	if diff := cmp.Diff(want, j.finish(true).faults); diff != "" {
		t.Error(diff)
	}
}

// TestAUnitThatIsSkippedSaysWhy keeps the reason that all its tests give.
func TestAUnitThatIsSkippedSaysWhy(t *testing.T) {
	for _, c := range []struct {
		want  string
		tests []record
	}{
		{"no server", []record{{"a", skipped, "no server"}, {"b", skipped, "no server"}}},
		{"", []record{{"a", skipped, "no server"}, {"b", skipped, "no time"}}},
		{"", []record{{"a", skipped, "no server"}, {"b", passed, "no server"}}},
		{"", nil},
	} {
		if got := newJudge(nil).take(result{Unit: "u", Tests: c.tests}).Note; got != c.want {
			t.Errorf("%v: %q", c.tests, got)
		}
	}
}

// TestARunOfAPartKeepsTheRest merges by unit, within a version.
func TestARunOfAPartKeepsTheRest(t *testing.T) {
	older := summary{Version: "1", Units: []unitCount{{Unit: "a", Passed: 1}, {Unit: "b", Failed: 1}}}
	newer := summary{Version: "1", Units: []unitCount{{Unit: "b", Passed: 3}}}
	if got := newer.merge(older).sum(); got.Passed != 4 || got.Failed != 0 {
		t.Errorf("%+v", got)
	}
	newer.Version = "2"
	if got := newer.merge(older).sum(); got.Passed != 3 {
		t.Errorf("%+v", got)
	}
}

// TestRecordsAreReadUpToTheCrash drops a line that was cut off.
func TestRecordsAreReadUpToTheCrash(t *testing.T) {
	file := filepath.Join(t.TempDir(), "records.jsonl")
	text := `{"test":"a","outcome":"passed"}` + "\n" + `{"test":"b","outco`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readRecords(file)
	if diff := cmp.Diff([]record{{"a", passed, ""}}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, err := readRecords(file + "x"); got != nil || err != nil {
		t.Errorf("no file: %v, %v", got, err)
	}
}

// TestUntarStaysInside refuses a member that would leave the folder.
func TestUntarStaysInside(t *testing.T) {
	for name, wrong := range map[string]bool{"top/sub/file": false, "top/../../escape": true} {
		dir := t.TempDir()
		archive := filepath.Join(dir, "a.tar.gz")
		if err := os.WriteFile(archive, tarball(t, name), 0o600); err != nil {
			t.Fatal(err)
		}
		err := unpackInto(filepath.Join(dir, "out"), func(root *os.Root) error { return untar(root, archive) })
		if (err != nil) != wrong {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "escape")); err == nil {
			t.Errorf("%s left its folder", name)
		}
	}
}

func tarball(t *testing.T, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestADamagedArchiveIsNotUsed looks at the digest of what the cache has.
func TestADamagedArchiveIsNotUsed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("other bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := keepFile(dir, strings.Repeat("0", 64), filepath.Join(dir, "kept"))
	if err == nil || !strings.Contains(err.Error(), "fetched no file with the digest") {
		t.Error(err)
	}
}

// TestOnThisMachine gives native Python the paths of this machine.
func TestOnThisMachine(t *testing.T) {
	mounts := []mount{{"/m/site", "/site"}, {"/m/helpers", "/conformance"}, {"/m/tree", "/work"}}
	for text, want := range map[string]string{
		"PYTHONPATH=/work/src:/site:/conformance": "PYTHONPATH=/m/tree/src:/m/site:/m/helpers",
		"/conformance/conformance_django.py":      "/m/helpers/conformance_django.py",
		"/sites:/work":                            "/sites:/m/tree",
		"-m":                                      "-m",
		"NAME=":                                   "NAME=",
	} {
		if got := onThisMachine(text, mounts); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// TestAUnitChangesACopy: what tests change is a copy in the guest, and the folder
// itself natively.
func TestAUnitChangesACopy(t *testing.T) {
	source := t.TempDir()
	file := filepath.Join("res", "a.html")
	if err := errors.Join(os.Mkdir(filepath.Join(source, "res"), 0o755), os.WriteFile(filepath.Join(source, file), []byte("text"), 0o644)); err != nil {
		t.Fatal(err)
	}
	w, u := &world{options: options{wasgi: "wasgi"}, tmp: t.TempDir()}, unit{dir: source, own: "res"}
	own, err := w.copyOf(u)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(own, "a.html")); err != nil || string(text) != "text" {
		t.Errorf("the copy has %q, %v", text, err)
	}
	if args := w.command(t.Context(), u, "results", own).Args; !slices.Contains(args, own+":/work/res:rw") {
		t.Errorf("the copy is not mounted: %q", args)
	}
	if own, err := (&world{options: options{native: true}}).copyOf(u); own != "" || err != nil {
		t.Errorf("natively the copy is %q, %v", own, err)
	}
}
