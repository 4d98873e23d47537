package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// counting prints the numbers from A up to B for /A/B.
const counting = `def application(environ, start_response):
    first, last = environ["PATH_INFO"].strip("/").split("/")
    for n in range(int(first), int(last) + 1):
        print("number", n)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"counted"]
`

// numbered are the numbers that a log shows, in its order.
func numbered(text string) (out []int) {
	for _, m := range regexp.MustCompile(`(?m)stdout: number (\d+) request_id=`).FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1]) // digits
		out = append(out, n)
	}
	return out
}

func (o *operator) shows(text string, first, last int) {
	o.Helper()
	got := numbered(text)
	var want []int
	for n := first; n <= last; n++ {
		want = append(want, n)
	}
	if !slices.Equal(got, want) {
		o.Errorf("%d numbers, want those from %d to %d: %v …", len(got), first, last, got[:min(len(got), 10)])
	}
}

// TestLogHistory asks for more than memory holds, from files that are turned over,
// before and after the server was restarted, and follows while the log grows.
func TestLogHistory(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			flags := []string{"--tenant-log-size", "32KiB", "--tenant-log-keep", "500", "--tenant-log-rate", "256MiB", "--log-format", format}
			o := &operator{T: t, world: newWorld(t), state: t.TempDir(), root: t.TempDir()}
			write(t, o.root, "shop/wsgi.py", counting)
			serve := func() {
				o.server = o.world.serve(t, launch{root: o.root, state: o.state, flags: flags}, "shop")
			}
			serve()
			o.server.site(t, "shop").browser(t).get("/1/3000").status(200)
			all := func() string { return o.wasgi("logs", "shop", "-n", "-1").exited(0).stdout }
			o.shows(all(), 1, 3000)
			o.shows(o.wasgi("logs", "shop", "-n", "2500").exited(0).stdout, 501, 3000)
			o.shows(o.wasgi("logs", "shop").exited(0).stdout, 2901, 3000)
			must(t, o.server.terminate(t))
			serve()
			o.shows(all(), 1, 3000)
			o.since()
			o.follows()
			o.shows(all(), 1, 9000)
		})
	}
}

// since asks for what is not older than a line of the past.
func (o *operator) since() {
	o.Helper()
	var line struct{ Time time.Time }
	text := o.wasgi("logs", "shop", "-n", "-1", "--json").exited(0).stdout
	for one := range strings.Lines(text) {
		if strings.Contains(one, `"message":"number 3000"`) {
			decode(o.T, one, &line)
		}
	}
	got := numbered(o.wasgi("logs", "shop", "--since", line.Time.Format(time.RFC3339Nano)).exited(0).stdout)
	if len(got) == 0 || len(got) >= 3000 || got[len(got)-1] != 3000 {
		o.Errorf("%d numbers since %s", len(got), line.Time)
	}
	o.shows(o.wasgi("logs", "shop", "--since", "24h").exited(0).stdout, 1, 3000)
	o.shows(o.wasgi("logs", "shop", "--since", time.Now().Add(time.Hour).Format(time.RFC3339)).exited(0).stdout, 1, 0)
	o.wasgi("logs", "shop", "--since", "soon").exited(2).complained(`--since "soon": write how long ago`)
}

// follows reads on while thousands of lines come.
func (o *operator) follows() {
	o.Helper()
	c := exec.Command(o.world.binary, "logs", "shop", "-n", "-1", "-f")
	c.Dir, c.Env = o.TempDir(), environment(o.world.cache, o.state)
	out, log := newTranscript(), newTranscript()
	c.Stdout, c.Stderr = out, log
	must(o.T, c.Start())
	o.Cleanup(func() { _ = c.Process.Kill() }) // does nothing when it has ended
	b := o.server.site(o.T, "shop").browser(o.T)
	b.get("/3001/6000").status(200)
	out.wait(o.T, regexp.MustCompile(`number 6000 `), 0)
	b.get("/6001/9000").status(200)
	out.wait(o.T, regexp.MustCompile(`number 9000 `), 0)
	must(o.T, c.Process.Signal(os.Interrupt))
	if err := c.Wait(); err != nil {
		o.Errorf("wasgi logs -f ended with %v: %s", err, log.String())
	}
	o.shows(out.String(), 1, 9000)
}

// TestLogWithoutFiles shows the end that memory keeps.
func TestLogWithoutFiles(t *testing.T) {
	t.Parallel()
	o := operated(t, "--tenant-log-size", "0", "--tenant-log-rate", "256MiB")
	o.wasgi("deploy", o.app("", "wsgi.py", counting)).exited(0)
	o.browser("shop").get("/1/3000").status(200)
	o.shows(o.wasgi("logs", "shop", "-n", "50").exited(0).stdout, 2951, 3000)
	got := numbered(o.wasgi("logs", "shop", "-n", "-1").exited(0).stdout)
	if len(got) == 0 || len(got) > 1000 || got[len(got)-1] != 3000 {
		t.Errorf("%d numbers", len(got))
	}
	o.shows(o.wasgi("logs", "shop", "--since", "0s").exited(0).stdout, 1, 0)
}
