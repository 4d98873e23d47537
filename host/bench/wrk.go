package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// load is what one run of wrk measured.
type load struct {
	requests  int // answered
	perSecond float64
	p50, p99  time.Duration
	errors    int // socket errors and answers that were not 2xx or 3xx
}

// uploadScript is wrk's for a POST of so many bytes.
const uploadScript = `wrk.method = "POST"
wrk.body = string.rep("x", %d)
wrk.headers["Content-Type"] = "application/octet-stream"
`

// wrk makes a load and returns what it measured and the processor time that it
// took itself. Latencies beyond --timeout would be counted as errors and left
// out of its percentiles.
func (b *bench) wrk(ctx context.Context, a app, url string, connections int) (load, time.Duration, error) {
	args := []string{
		"--latency", "--timeout", "10s", "-t", strconv.Itoa(min(connections, b.cores)),
		"-c", strconv.Itoa(connections), "-d", strconv.Itoa(b.opt.seconds) + "s",
	}
	if a.upload > 0 {
		script := filepath.Join(b.opt.work, "upload.lua")
		if err := os.WriteFile(script, fmt.Appendf(nil, uploadScript, a.upload), 0o644); err != nil {
			return load{}, 0, err
		}
		args = append(args, "-s", script)
	}
	c := exec.CommandContext(ctx, "wrk", append(args, url)...)
	out, err := c.Output()
	if err != nil {
		return load{}, 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	l, err := parseWrk(string(out))
	return l, c.ProcessState.UserTime() + c.ProcessState.SystemTime(), err
}

// parseWrk reads what wrk --latency prints.
func parseWrk(out string) (load, error) {
	var l load
	if err := firstNumber(out, `Requests/sec:\s+([0-9.]+)`, &l.perSecond); err != nil {
		return l, err
	}
	var requests float64
	if err := firstNumber(out, `(\d+) requests in `, &requests); err != nil {
		return l, err
	}
	l.requests = int(requests)
	for label, to := range map[string]*time.Duration{"50%": &l.p50, "99%": &l.p99} {
		if err := percentile(out, label, to); err != nil {
			return l, err
		}
	}
	for _, m := range regexp.MustCompile(`(?:connect|read|write|timeout|responses:) (\d+)`).FindAllStringSubmatch(out, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return l, err
		}
		l.errors += n
	}
	return l, nil
}

func firstNumber(out, pattern string, to *float64) (err error) {
	m := regexp.MustCompile(pattern).FindStringSubmatch(out)
	if m == nil {
		return fmt.Errorf("wrk printed no %s:\n%s", pattern, out)
	}
	*to, err = strconv.ParseFloat(m[1], 64)
	return err
}

func percentile(out, label string, to *time.Duration) (err error) {
	m := regexp.MustCompile(`(?m)^\s+` + label + `\s+([0-9.]+[a-z]+)`).FindStringSubmatch(out)
	if m == nil {
		return fmt.Errorf("wrk printed no %s:\n%s", label, out)
	}
	*to, err = time.ParseDuration(m[1])
	return err
}
