package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manyParts is an application of several files, each with the version, which
// answers with what is in them now: a mixture of two releases would show.
const manyParts = `import glob, part1, part2
VERSION = %q

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    read = [open(f).read() for f in sorted(glob.glob("/app/data/*.txt"))]
    import sub.late
    return [" ".join([VERSION, part1.VERSION, part2.VERSION, sub.late.VERSION] + read).encode()]
`

func partsOf(t *testing.T, dir, version string) {
	t.Helper()
	write(t, dir, "wsgi.py", fmt.Sprintf(manyParts, version))
	for _, name := range []string{"part1.py", "part2.py", "sub/late.py"} {
		write(t, dir, name, fmt.Sprintf("VERSION = %q\n", version))
	}
	for i := range 20 {
		write(t, dir, fmt.Sprintf("data/%02d.txt", i), version)
	}
}

// whole is the version of an answer, which has it in every part.
func whole(t *testing.T, body string) string {
	t.Helper()
	words := strings.Fields(body)
	if len(words) != 24 {
		t.Fatalf("a mixture: %q", body)
	}
	for _, w := range words {
		if w != words[0] {
			t.Fatalf("a mixture: %q", body)
		}
	}
	return words[0]
}

// TestDeployKilled kills the server at random points of deploys. The next one
// serves the older or the newer release as a whole, what it says of its releases
// is true, and nothing unfinished is left. 200 points with WASGI_ATTACK=1.
func TestDeployKilled(t *testing.T) {
	t.Parallel()
	points := 15
	if allAttacks() {
		points = 200
	}
	o := operated(t)
	dir := filepath.Join(t.TempDir(), "shop")
	partsOf(t, dir, "v0")
	o.wasgi("deploy", dir).exited(0)
	took := o.timedDeploy(dir, "v1")
	serving, older, newer := "v1", 0, 0
	for i := range points {
		next := fmt.Sprintf("v%d", i+2)
		partsOf(t, dir, next)
		o.killedDeploy(dir, time.Duration(rand.Int64N(int64(took+took/4))))
		o.serve()
		o.server.ready(t, "shop")
		switch now := whole(t, o.browser("shop").get("/").status(200).body); now {
		case serving:
			older++
		case next:
			newer++
			serving = next
		default:
			t.Fatalf("point %d: %s serves, and not %s or %s", i, now, serving, next)
		}
		o.tidy()
	}
	t.Logf("a deploy takes %v; of %d that were killed the older release served after %d, the newer one after %d", took, points, older, newer)
	o.wasgi("deploy", dir).exited(0)
}

// timedDeploy says how long a deploy takes when nobody disturbs it.
func (o *operator) timedDeploy(dir, version string) time.Duration {
	o.Helper()
	partsOf(o.T, dir, version)
	start := time.Now()
	o.wasgi("deploy", dir).exited(0)
	return time.Since(start)
}

// killedDeploy begins a deploy and kills the server after a while.
func (o *operator) killedDeploy(dir string, after time.Duration) {
	o.Helper()
	c := exec.Command(o.world.binary, "deploy", dir)
	c.Env = environment(o.world.cache, o.state)
	must(o.T, c.Start())
	select { // the point in time is what is tested, not what has happened by then
	case <-o.server.done:
	case <-time.After(after):
	}
	o.server.killed = true
	o.server.kill(o.T)
	_ = c.Wait() // it may have been done
}

// tidy says that the releases which the server lists are the folders that are
// there, and that nothing else is.
func (o *operator) tidy() {
	o.Helper()
	all, current := o.digests("shop")
	entries, err := os.ReadDir(filepath.Join(o.state, "deployed", "shop"))
	must(o.T, err)
	there := map[string]bool{}
	for _, e := range entries {
		there[e.Name()] = true
	}
	if len(there) != len(all) || !there[current] {
		o.Errorf("releases %v, current %q; folders %v", all, current, there)
	}
	for _, digest := range all {
		if !there[digest] {
			o.Errorf("release %s has no folder", digest)
		}
	}
}

// TestDeployOnFullDisk: where there is no room, that is said, the older release
// goes on, and with room again the same deploy succeeds.
func TestDeployOnFullDisk(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "size=30m,mode=0700"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(state, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	o := &operator{T: t, world: newWorld(t), state: state, root: t.TempDir()}
	o.serve()
	o.wasgi("deploy", o.app("first\n")).exited(0)
	fill := filepath.Join(state, "fill")
	// One page is left, then some: the disk is full at another step each time.
	for _, left := range []int64{4 << 10, 64 << 10, 300 << 10, 1 << 20} {
		fillDisk(t, state, fill, left)
		text := make([]byte, 2<<20)
		for i := range text {
			text[i] = byte('a' + rand.IntN(26))
		}
		o.wasgi("deploy", o.app("second\n", "big.txt", string(text))).exited(1).
			complained("shop was not deployed: ", "no space left on device", "the disk of state_dir is full; nothing has changed, and what served before goes on: make room and try again")
		o.browser("shop").get("/").status(200).text("first\n")
		o.tidy()
		must(t, os.Remove(fill))
	}
	o.wasgi("deploy", o.app("second\n")).exited(0)
	o.browser("shop").get("/").status(200).text("second\n")
}

// fillDisk leaves so many bytes of a file system.
func fillDisk(t *testing.T, dir, file string, left int64) {
	t.Helper()
	var s syscall.Statfs_t
	must(t, syscall.Statfs(dir, &s))
	f, err := os.Create(file)
	must(t, err)
	defer f.Close()
	block := make([]byte, 4096)
	for n := int64(s.Bavail)*s.Bsize - left; n > 0; n -= int64(len(block)) {
		if _, err := f.Write(block); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDamagedReleaseIsNotServed: files that are not what was uploaded are
// refused, and a deploy of the same files mends it.
func TestDamagedReleaseIsNotServed(t *testing.T) {
	t.Parallel()
	o := operated(t)
	app := o.app("fine\n")
	o.wasgi("deploy", app).exited(0)
	_, current := o.digests("shop")
	must(t, o.server.terminate(t))
	write(t, filepath.Join(o.state, "deployed", "shop", current, "app"), "wsgi.py", source("changed\n"))
	o.serve()
	o.server.logs(t, `msg="cannot be served" tenant=shop .*the release is damaged: it should have the digest `+current, 0)
	o.browser("shop").get("/").status(502)
	o.wasgi("tenants", "ls").exited(0).printed("failed", "the release is damaged")
	o.wasgi("deploy", app).exited(0)
	o.browser("shop").get("/").status(200).text("fine\n")
}

// TestDeployWhileServing: requests that run end with the release that they began
// with, and none fails.
func TestDeployWhileServing(t *testing.T) {
	t.Parallel()
	o := operated(t)
	dir := filepath.Join(t.TempDir(), "bare")
	copyTree(t, o.world.example("bare"), dir)
	o.wasgi("deploy", dir).exited(0)
	stream := o.browser("bare").begin("/stream?pause=1")
	stream.expect("chunk 1 of 5\n")
	failed := make(chan string, 1)
	stop := make(chan struct{})
	go func() { // ends with stop
		defer close(failed)
		b := o.browser("bare")
		for {
			select {
			case <-stop:
				return
			default:
			}
			if a := b.get("/"); a.resp.StatusCode != 200 {
				failed <- a.body
				return
			}
		}
	}()
	for i := range 5 {
		write(t, dir, "wsgi.py", source(fmt.Sprintf("release %d\n", i)))
		o.wasgi("deploy", dir).exited(0)
	}
	close(stop)
	if text, any := <-failed; any {
		t.Errorf("a request failed while releases came: %s", text)
	}
	stream.expect("chunk 2 of 5\nchunk 3 of 5\nchunk 4 of 5\nchunk 5 of 5\n").ends()
	o.browser("bare").get("/").status(200).text("release 4\n")
	o.server.logs(t, `(?s)(msg=serving tenant=bare.*){6}`, 0)
	if n := len(regexp.MustCompile(`msg=serving tenant=bare`).FindAllString(o.server.log.String(), -1)); n != 6 {
		t.Errorf("%d releases have served, want 6", n)
	}
}
