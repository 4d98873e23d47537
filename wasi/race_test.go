//go:build linux

package wasi

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental/sys"
)

// raceTime is how long races run: WASGI_ATTACK_TIME, such as 60s, or a moment.
func raceTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("WASGI_ATTACK_TIME")
	if text == "" {
		return 300 * time.Millisecond
	}
	d, err := time.ParseDuration(text)
	must(t, err)
	return d
}

// TestNoEscapeInRace swaps directories for links that lead out, over and over, while instances make all the calls
// through them. Whatever they meet, nothing outside changes and no byte of it is read.
func TestNoEscapeInRace(t *testing.T) {
	dir := hostTree(t)
	defer func() { must(t, os.RemoveAll(dir)) }()
	in := dir + inside
	before := picture(t, dir, false)
	swaps := []string{"swap", "swop"}
	for _, d := range swaps {
		must(t, os.MkdirAll(filepath.Join(in, d, "deep"), 0o700))
	}
	fsys, _ := writableDirIn(t, in, 1<<30, 1_000_000)
	end := time.Now().Add(raceTime(t))
	var group sync.WaitGroup
	for _, d := range swaps {
		group.Go(func() {
			for time.Now().Before(end) {
				swapForLink(in, d, filepath.Join(dir, "other"))
			}
		})
	}
	for i := range 3 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for time.Now().Before(end) {
				anyCall(t, fsys, random)
			}
		})
	}
	group.Wait()
	if diff := cmp.Diff(before, picture(t, dir, false)); diff != "" {
		t.Errorf("changed outside:\n%s", diff)
	}
}

// swapForLink makes a directory a link for a moment.
func swapForLink(in, name, target string) {
	link, away, swap := filepath.Join(in, "link-"+filepath.Base(name)), filepath.Join(in, "away-"+filepath.Base(name)), filepath.Join(in, name)
	_ = os.Symlink(target, link)
	_ = os.Rename(swap, away)
	_ = os.Rename(link, swap)
	_ = os.Rename(swap, link)
	_ = os.Rename(away, swap)
	_ = os.Remove(link)
}

// anyCall makes one call with paths through what is being swapped.
func anyCall(t *testing.T, fsys FS, random *rand.Rand) {
	paths := []string{"swap/new", "swap/deep/new", "swap/deep", "swop/new", "swop/deep/dir", "new", "swop/deep", "swap/deep/deep/x"}
	a, b := paths[random.IntN(len(paths))], paths[random.IntN(len(paths))]
	switch random.IntN(8) {
	case 0:
		wantNothing(t, fsys, []string{"swap/secret", "swop/secret", "swap/deep/secret"}[random.IntN(3)])
	case 1:
		wantNothing(t, fsys, []string{"swap", "swop", "swap/"}[random.IntN(3)])
	case 2:
		if f, errno := fsys.OpenFile(a, sys.O_RDWR|sys.O_CREAT|sys.O_TRUNC, 0o600); errno == 0 {
			_, _ = f.Write([]byte("x"))
			_ = f.Close()
		}
	case 3:
		_ = fsys.Mkdir(a, 0o700)
	case 4:
		_ = fsys.Rmdir(a)
	case 5:
		_ = fsys.Unlink(a)
	case 6:
		_ = fsys.Rename(a, b)
	default:
		_ = fsys.Utimens(a, 1, 1)
	}
}

// wantNothing reads a file or a folder, of which no instance ever makes one called secret.
func wantNothing(t *testing.T, fsys FS, path string) {
	f, errno := fsys.OpenFile(path, sys.O_RDONLY, 0)
	if errno != 0 {
		return
	}
	buf := make([]byte, 16)
	if n, _ := f.Pread(buf, 0); strings.Contains(string(buf[:n]), "secret") {
		t.Errorf("read the secret through %s", path)
	}
	entries, _ := f.Readdir(-1)
	for _, e := range entries {
		if e.Name == "secret" {
			t.Errorf("listed the folder outside through %s", path)
		}
	}
	_ = f.Close()
}
