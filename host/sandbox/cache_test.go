package sandbox

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi/tck"
)

// startCached makes an engine, serves from it, and returns what was logged.
func startCached(t *testing.T, dir string) string {
	t.Helper()
	var log bytes.Buffer
	e, err := NewEngine(t.Context(), EngineConfig{
		Module: tck.Echo(), CacheDir: dir, CompileWorkers: 1, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, e.Close(t.Context())) }()
	serve(t, restore(t, build(t, e, Spec{})), emptyRequest())
	return log.String()
}

// cached lists the files of compiled code.
func cached(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != cacheList {
			files = append(files, path)
		}
		return err
	}))
	return files
}

func echoCache(dir string) string { return cacheOf(dir, sha256.Sum256(tck.Echo())) }

// TestCacheListStays: a start that finds everything writes nothing.
func TestCacheListStays(t *testing.T) {
	dir := t.TempDir()
	startCached(t, dir)
	before, err := os.Stat(filepath.Join(echoCache(dir), cacheList))
	must(t, err)
	startCached(t, dir)
	after, err := os.Stat(filepath.Join(echoCache(dir), cacheList))
	must(t, err)
	if !os.SameFile(before, after) {
		t.Error("the list was written again")
	}
}

// TestOldCachesGo: code of other guests is removed when nothing has started with
// it for long, and no sooner.
func TestOldCachesGo(t *testing.T) {
	dir := t.TempDir()
	at := func(name string, age time.Duration) string {
		path := filepath.Join(dir, cacheSubdir, name, "wazero")
		must(t, os.MkdirAll(path, 0o700))
		must(t, os.Chtimes(filepath.Dir(path), time.Time{}, time.Now().Add(-age)))
		return path
	}
	old, young := at("0123", cacheAge+time.Hour), at("4567", cacheAge-time.Hour)
	startCached(t, dir)
	must(t, os.Chtimes(echoCache(dir), time.Time{}, time.Now().Add(-2*cacheAge)))
	startCached(t, dir)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old one: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young one: %v", err)
	}
	if len(cached(t, echoCache(dir))) != 1 {
		t.Error("the one in use is gone")
	}
}

func TestCacheIsUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	if log := startCached(t, dir); log != "" {
		t.Errorf("logged %s", log)
	}
	files := cached(t, dir)
	if len(files) != 1 {
		t.Fatalf("cached: %v", files)
	}
	before, err := os.Stat(files[0])
	must(t, err)
	if log := startCached(t, dir); log != "" {
		t.Errorf("logged %s", log)
	}
	after, err := os.Stat(files[0])
	must(t, err)
	if !os.SameFile(before, after) || len(cached(t, dir)) != 1 {
		t.Error("the guest was compiled again")
	}
	info, err := os.Stat(echoCache(dir))
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestCacheIsThrownAway(t *testing.T) {
	for name, damage := range map[string]func(dir, file string) error{
		"a flipped bit":       func(_, file string) error { return flipEvery(file, 4096) },
		"a truncated entry":   func(_, file string) error { return os.Truncate(file, 10) },
		"an empty entry":      func(_, file string) error { return os.Truncate(file, 0) },
		"a lost list":         func(dir, _ string) error { return os.Remove(filepath.Join(dir, cacheList)) },
		"a stranger's file":   func(dir, _ string) error { return os.WriteFile(filepath.Join(dir, "x"), nil, 0o600) },
		"a stranger's folder": func(dir, _ string) error { return os.Chmod(dir, 0o777) },
		"a stranger's parent": func(dir, _ string) error { return os.Chmod(filepath.Dir(dir), 0o770) },
		"a symbolic link":     func(_, file string) error { return linkTo(file) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			startCached(t, dir)
			must(t, damage(echoCache(dir), cached(t, dir)[0]))
			if log := startCached(t, dir); !strings.Contains(log, "cannot be trusted and is deleted") {
				t.Errorf("logged %q", log)
			}
			if log := startCached(t, dir); log != "" {
				t.Errorf("logged %q after that", log)
			}
		})
	}
}

// TestCacheThatOnlyWazeroRefuses has a list that fits the damage.
func TestCacheThatOnlyWazeroRefuses(t *testing.T) {
	dir := t.TempDir()
	startCached(t, dir)
	must(t, os.Truncate(cached(t, dir)[0], 10))
	must(t, writeCacheList(echoCache(dir), nil))
	if log := startCached(t, dir); !strings.Contains(log, "compiled again") {
		t.Errorf("logged %q", log)
	}
	if log := startCached(t, dir); log != "" {
		t.Errorf("logged %q after that", log)
	}
}

// TestCacheDeletesNothingElse makes sure that a folder which somebody named by
// mistake keeps what it had.
func TestCacheDeletesNothingElse(t *testing.T) {
	dir := t.TempDir()
	keep := filepath.Join(dir, "thesis.tex")
	must(t, os.WriteFile(keep, []byte("text"), 0o600))
	startCached(t, dir)
	must(t, os.Remove(filepath.Join(echoCache(dir), cacheList)))
	startCached(t, dir)
	if b, err := os.ReadFile(keep); err != nil || string(b) != "text" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestCacheIsNoFolder(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, cacheSubdir), nil, 0o600))
	if _, err := NewEngine(t.Context(), EngineConfig{Module: tck.Echo(), CacheDir: dir}); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("got %v", err)
	}
}

func flipEvery(path string, step int) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i := step / 2; i < len(b); i += step {
		b[i] ^= 1
	}
	b[len(b)-1] ^= 1
	return os.WriteFile(path, b, 0o600)
}

func linkTo(path string) error {
	if err := os.Rename(path, path+".old"); err != nil {
		return err
	}
	return os.Symlink(path+".old", path)
}

// TestCheckedCacheIsLeftAlone: an engine that is told that its cache was checked
// neither looks at the list of digests nor writes one.
func TestCheckedCacheIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // the first one compiles
		e, err := NewEngine(t.Context(), EngineConfig{Module: tck.Echo(), CacheDir: dir, CacheChecked: true})
		if err != nil {
			t.Fatal(err)
		}
		closed(t, e.Close(t.Context()))
	}
	if _, err := os.Stat(filepath.Join(echoCache(dir), cacheList)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a list was written: %v", err)
	}
}
