package sandbox

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
)

// The compilation cache holds native code, and wazero checks a part of it with
// a CRC only. So the host keeps a list of SHA-256 digests beside it and throws
// the cache away when anything differs.
const (
	cacheSubdir = "compiled" // below EngineConfig.CacheDir: all that is ever deleted
	cacheList   = "digests"  // one line a file: digest, two spaces, path
	cacheMode   = fs.FileMode(0o700)
	// cacheAge is how long the code of a guest stays that no engine has started
	// with: 50 MB for each, and every upgrade of wasgi brings another.
	cacheAge = 30 * 24 * time.Hour
)

// cacheOf is the folder for the compiled code of a guest. Each guest has its own,
// so that a start hashes what it is about to run and nothing else.
func cacheOf(cacheDir string, guest [sha256.Size]byte) string {
	return filepath.Join(cacheDir, cacheSubdir, fmt.Sprintf("%x", guest[:8]))
}

// patience is how long a compilation may take before somebody wants to know
// what takes so long. Code from the cache is there sooner, on a busy machine too.
const patience = 5 * time.Second

// compile compiles the guest, from the cache if it can be trusted.
func (e *Engine) compile(ctx context.Context, cfg EngineConfig) error {
	dir := cfg.CacheDir
	told := time.AfterFunc(patience, func() {
		e.logger.Info("compiling the interpreter: some seconds, once on this machine", "cache", dir)
	})
	defer told.Stop()
	if dir == "" {
		return e.compileWith(ctx, nil)
	}
	dir = cacheOf(dir, e.digest)
	if cfg.CacheChecked {
		return e.compileCached(ctx, dir)
	}
	known, err := e.openCache(dir)
	if err != nil {
		return err
	}
	err = e.compileCached(ctx, dir)
	if err != nil && ctx.Err() == nil {
		known = nil
		e.logger.Warn("compiling with the cache failed: the cache is deleted and the guest compiled again", "dir", dir, "error", err)
		err = errors.Join(e.closeRuntime(ctx), os.RemoveAll(dir), e.compileCached(ctx, dir))
	}
	if err != nil {
		return err
	}
	if err := writeCacheList(dir, known); err != nil {
		e.logger.Warn("the list of cached code was not written: the next start compiles again", "dir", dir, "error", err)
	}
	if err := dropOldCaches(dir, time.Now()); err != nil {
		e.logger.Warn("compiled code that nobody uses any more was not removed", "dir", filepath.Dir(dir), "error", err)
	}
	return nil
}

// openCache makes the folder, or empties it when it is not what was written. It
// returns the digests of what is in it.
func (e *Engine) openCache(dir string) (known map[string]string, err error) {
	var doubt error
	for _, d := range []string{filepath.Dir(dir), dir} {
		writable, err := ownFolder(d)
		if err != nil {
			return nil, err
		}
		doubt = errors.Join(doubt, writable)
	}
	if doubt == nil {
		known, doubt = checkCacheList(dir)
	}
	if doubt != nil {
		e.logger.Warn("the compilation cache cannot be trusted and is deleted", "dir", dir, "reason", doubt)
		return nil, errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, cacheMode))
	}
	return known, nil
}

// ownFolder makes a folder, or has it belong to this user alone; doubt says that
// others could write to it before.
func ownFolder(dir string) (doubt, err error) {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, os.MkdirAll(dir, cacheMode)
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox: the compilation cache: %w", err)
	}
	if !info.IsDir() || !ownedByUs(info) {
		return nil, fmt.Errorf("sandbox: the compilation cache %s is no folder of this user: remove it", dir)
	}
	if err := os.Chmod(dir, cacheMode); err != nil {
		return nil, fmt.Errorf("sandbox: the compilation cache: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		doubt = fmt.Errorf("others could write to %s: mode %v", dir, info.Mode().Perm())
	}
	return doubt, nil
}

func (e *Engine) compileCached(ctx context.Context, dir string) error {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return fmt.Errorf("sandbox: opening the compilation cache: %w", err)
	}
	return e.compileWith(ctx, cache)
}

// compileWith turns a panic into an error: wazero decodes cached code without
// doubting its lengths.
func (e *Engine) compileWith(ctx context.Context, cache wazero.CompilationCache) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("sandbox: compiling the guest: %v", r)
		}
	}()
	if err := e.newRuntime(ctx, cache); err != nil {
		return err
	}
	ctx = experimental.WithMemoryAllocator(ctx, &linearMemory{guarded: e.guarded}) // which wazero asks what to compile
	e.compiled, err = e.runtime.CompileModule(ctx, e.guest.code)
	if err != nil {
		return fmt.Errorf("sandbox: compiling the guest: %w", err)
	}
	return nil
}

func (e *Engine) closeRuntime(ctx context.Context) error {
	var errs []error
	if e.runtime != nil {
		errs = append(errs, e.runtime.Close(ctx))
	}
	if e.cache != nil {
		errs = append(errs, e.cache.Close(ctx))
	}
	e.runtime, e.cache = nil, nil
	return errors.Join(errs...)
}

// checkCacheList returns the digests of all files, or says why the cache cannot be
// trusted.
func checkCacheList(dir string) (map[string]string, error) {
	want, err := readCacheList(dir)
	if err != nil {
		return nil, err
	}
	have, err := digestCache(dir, nil)
	if err != nil {
		return nil, err
	}
	for name, digest := range have {
		if want[name] != digest {
			return nil, fmt.Errorf("%s is not what was written", name)
		}
	}
	return have, nil
}

func readCacheList(dir string) (map[string]string, error) {
	f, err := os.Open(filepath.Join(dir, cacheList))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		digest, name, _ := strings.Cut(lines.Text(), "  ")
		list[name] = digest
	}
	return list, lines.Err()
}

// writeCacheList replaces the list as a whole, unless all files are known. A file
// that was replaced since it became known keeps its digest: the next start finds
// it wanting.
func writeCacheList(dir string, known map[string]string) error {
	list, err := digestCache(dir, known)
	if err != nil || maps.Equal(list, known) {
		return err
	}
	var b strings.Builder
	for name, digest := range list {
		fmt.Fprintf(&b, "%s  %s\n", digest, name)
	}
	return writeFileAtomic(filepath.Join(dir, cacheList), func(f *os.File) error {
		_, err := io.WriteString(f, b.String())
		return err
	})
}

// digestCache hashes every file below dir that is not known, but the list itself.
// A temporary file that another process is writing is left out: nobody reads it.
func digestCache(dir string, known map[string]string) (map[string]string, error) {
	list := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == cacheList || strings.HasSuffix(name, ".tmp") {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is no regular file", name)
		}
		if digest, found := known[name]; found {
			list[name] = digest
			return nil
		}
		list[name], err = digestFile(path)
		return err
	})
	return list, err
}

// dropOldCaches marks a cache as used now, and removes those beside it that have
// not been for long.
func dropOldCaches(dir string, now time.Time) error {
	if err := os.Chtimes(dir, now, now); err != nil {
		return err
	}
	others, err := os.ReadDir(filepath.Dir(dir))
	for _, other := range others {
		info, gone := other.Info()
		if gone == nil && now.Sub(info.ModTime()) > cacheAge {
			err = errors.Join(err, os.RemoveAll(filepath.Join(filepath.Dir(dir), other.Name())))
		}
	}
	return err
}

func digestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
