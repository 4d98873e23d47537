package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	line := "4711 (a (b) c) S 1 4700 4700 0 -1 4194560 100 200 0 0 7 5 2 1 20 0 1 0 100 1000 10"
	group, cpu, err := parseStat(line)
	if err != nil || group != 4700 || cpu != 150*time.Millisecond {
		t.Errorf("parseStat = %d, %v, %v; want 4700, 150ms", group, cpu, err)
	}
	for _, bad := range []string{"", "1 (x) S", "1 x S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "1 (x) S 1 p 1 1 1 1 1 1 1 1 1 1 1 1 1 1"} {
		if _, _, err := parseStat(bad); err == nil {
			t.Errorf("parseStat accepted %q", bad)
		}
	}
}

func TestParseRollup(t *testing.T) {
	text := "00400000-7fff ---p 00000000 00:00 0 [rollup]\nRss:   1234 kB\nPrivate_Dirty:      56 kB\nRss\n"
	if got, err := parseRollup(text, "Private_Dirty"); err != nil || got != 56*1024 {
		t.Errorf("Private_Dirty = %v, %v", got, err)
	}
	if got, err := parseRollup(text, "Private"); err == nil {
		t.Errorf("Private = %v", got)
	}
}

func TestParsePyperf(t *testing.T) {
	got, err := parsePyperf("words of its own\n{\"name\": \"go\", \"values\": [0.5, 0.25]}\n")
	want := []pyResult{{"go", []float64{500, 250}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("parsePyperf = %v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"", "no result\n", "{\"name\": \n"} {
		if got, err := parsePyperf(bad); err == nil {
			t.Errorf("parsePyperf(%q) = %v", bad, got)
		}
	}
}

func TestPins(t *testing.T) {
	got := pins("# a==1\nflask==3.1.2 \\\n    --hash=sha256:00\nbottle==0.13.4\nodd==\n")
	if want := map[string]string{"flask": "3.1.2", "bottle": "0.13.4"}; !maps.Equal(got, want) {
		t.Errorf("pins = %v, want %v", got, want)
	}
}

func TestDebianPython(t *testing.T) {
	if got := packageOf("python3.11-minimal:amd64: /usr/bin/python3.11"); got != "python3.11-minimal" {
		t.Errorf("packageOf = %q", got)
	}
	const row = "python3.11-minimal\t3.11.2-6"
	for arch, want := range map[string]string{"amd64": "Debian's python3.11-minimal 3.11.2-6, with profile-guided optimisation", "riscv64": "Debian's python3.11-minimal 3.11.2-6"} {
		if got := debianPython(row, arch); got != want {
			t.Errorf("%s: %q, want %q", arch, got, want)
		}
	}
}

func TestSystemPython(t *testing.T) {
	if got := systemPython("/nowhere/python3"); got != "python3" {
		t.Errorf("without one: %q", got)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got := systemPython(own); got != own {
		t.Errorf("%q, want %q", got, own)
	}
}

func TestDiskReads(t *testing.T) {
	if n, err := diskReads(os.Getpid()); err != nil || n < 0 {
		t.Errorf("%v, %v", n, err)
	}
	if _, err := diskReads(0); err == nil {
		t.Error("no process has read something")
	}
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "a"), []byte("a"), 0o600), os.Symlink("nowhere", filepath.Join(dir, "b")), readBack(dir)); err != nil {
		t.Error(err)
	}
	if err := readBack(filepath.Join(dir, "c")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestWrkVersion(t *testing.T) {
	for text, want := range map[string]string{"wrk debian/4.1.0-3 [epoll] Copyright": "debian/4.1.0-3", "sh: wrk: not found": "unknown", "": "unknown"} {
		if got := wrkVersion(text); got != want {
			t.Errorf("wrkVersion(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestParseOptions(t *testing.T) {
	opt, err := parse([]string{"--only", "flask,cold", "--connections", "1,16", "--work", "/w"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"flask", "cold"}; !reflect.DeepEqual(opt.only, want) || !reflect.DeepEqual(opt.connections, []int{1, 16}) || opt.rounds != 5 {
		t.Errorf("parse = %+v", opt)
	}
	for _, bad := range [][]string{{"--only", "flsk"}, {"--connections", "0"}, {"--connections", "1,"}, {"--rounds", "0"}, {"flask"}} {
		if opt, err := parse(bad); err == nil {
			t.Errorf("parse(%q) = %+v", bad, opt)
		}
	}
}

func TestRightAnswers(t *testing.T) {
	for _, a := range loadApps() {
		if a.check([]byte("Hello, World!\n")) == nil {
			t.Errorf("%s accepts a wrong answer", a.name)
		}
	}
	if err := isPayload(payload()); err != nil || len(payload()) != downloadSize {
		t.Errorf("the payload of %d bytes: %v", len(payload()), err)
	}
	if err := isJSON([]byte(`{"items": [{"id": 40}], "total": 500}`)); err == nil {
		t.Error("one item of twenty is accepted")
	}
}
