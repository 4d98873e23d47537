package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// An ending is how a unit's process ended.
type ending struct {
	status   int
	overtime bool
	last     string // the last lines it wrote
}

// unitMemory is the linear memory of a unit: tests of compressors and of large
// numbers need more than an application's usual 256 MiB.
const unitMemory = "2GiB"

// recordsFile is what the helpers write, in the folder of a unit's results.
const recordsFile = "records.jsonl"

// runUnit runs one unit and returns what its tests recorded.
func (w *world) runUnit(ctx context.Context, s suite, u unit, rules []leftOut) (result, error) {
	results, err := os.MkdirTemp(w.tmp, "results-")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(results)
	if err := writeNotRun(filepath.Join(results, "notrun.json"), rules); err != nil {
		return result{}, err
	}
	own, err := w.copyOf(u)
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(own)
	begin := time.Now()
	end, err := w.start(ctx, s, u, results, own)
	if err != nil {
		return result{}, err
	}
	records, err := readRecords(filepath.Join(results, recordsFile))
	if err != nil {
		return result{}, err
	}
	r := collect(u.name, records, end)
	r.Seconds = time.Since(begin).Seconds()
	return r, nil
}

// copyOf is what the guest gets instead of unit.own, "" for none. Natively tests
// work on the sources as they are.
func (w *world) copyOf(u unit) (string, error) {
	if u.own == "" || w.native {
		return "", nil
	}
	dir, err := os.MkdirTemp(w.tmp, "own-")
	if err != nil {
		return "", err
	}
	return dir, os.CopyFS(dir, os.DirFS(filepath.Join(u.dir, u.own)))
}

// start runs the process to its end. Its output goes to a log.
func (w *world) start(ctx context.Context, s suite, u unit, results, own string) (ending, error) {
	f, err := w.logFile(s, u.name)
	if err != nil {
		return ending{}, err
	}
	defer f.Close()
	limited, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	if u.quiet > 0 {
		go watch(limited, cancel, filepath.Join(results, recordsFile), u.quiet)
	}
	cmd := w.command(limited, u, results, own)
	cmd.Stdout, cmd.Stderr = f, f
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return ending{}, errors.Join(err, ctx.Err())
	}
	return ending{cmd.ProcessState.ExitCode(), limited.Err() != nil, tail(f.Name())}, nil
}

// watch ends a unit that has recorded nothing for a time: the test that it is at
// hangs. It returns with the unit.
func watch(ctx context.Context, end context.CancelFunc, records string, quiet time.Duration) {
	size, since := int64(-1), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		info, err := os.Stat(records)
		switch {
		case err == nil && info.Size() != size:
			size, since = info.Size(), time.Now()
		case time.Since(since) > quiet:
			end()
			return
		}
	}
}

// logFile is where a unit's output goes, or the server's.
func (w *world) logFile(s suite, name string) (*os.File, error) {
	log := filepath.Join(w.cache, "logs", s.name, strings.ReplaceAll(name, "/", "_")+".log")
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return nil, err
	}
	return os.Create(log)
}

// command is the unit in the guest, or natively.
func (w *world) command(ctx context.Context, u unit, results, own string) *exec.Cmd {
	mounts := append([]mount{{w.helpers, helperDir}}, u.mounts...)
	path := "PYTHONPATH=" + strings.Join(append(append([]string{}, u.path...), helperDir), ":")
	env := append([]string{path, "CONFORMANCE_DIR=" + resultDir}, u.env...)
	if w.native {
		return w.nativeCommand(ctx, u, append(mounts, mount{results, resultDir}), env)
	}
	args := []string{"python", "--app", "none", "--memory", unitMemory, "--mount", results + ":" + resultDir + ":rw"}
	for _, m := range mounts {
		args = append(args, "--mount", m.host+":"+m.guest)
	}
	if own != "" {
		args = append(args, "--mount", own+":"+filepath.Join("/work", u.own)+":rw")
	}
	for _, e := range env {
		args = append(args, "--env", e)
	}
	for _, to := range u.allow {
		args = append(args, "--allow", to)
	}
	binary := w.wasgi
	if u.tests {
		binary = w.wasgiTests
	}
	cmd := exec.CommandContext(ctx, binary, append(args, u.args...)...)
	cmd.Dir = u.dir
	return cmd
}

// nativeCommand is the same unit without the guest: its paths become those of
// this machine.
func (w *world) nativeCommand(ctx context.Context, u unit, mounts []mount, env []string) *exec.Cmd {
	mounts = append(mounts, mount{u.dir, "/work"})
	args := []string{}
	for _, a := range u.args {
		args = append(args, onThisMachine(a, mounts))
	}
	cmd := exec.CommandContext(ctx, w.nativePython, args...)
	cmd.Dir = u.dir
	cmd.Env = []string{"HOME=" + w.tmp, "LANG=C.UTF-8", "TZ=UTC", "TMPDIR=" + w.tmp, "PATH=" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1"}
	for _, e := range env {
		cmd.Env = append(cmd.Env, onThisMachine(e, mounts))
	}
	return cmd
}

// onThisMachine replaces the guest's paths in text, which stand at its start or
// after "=" or ":".
func onThisMachine(text string, mounts []mount) string {
	name, value, assigned := strings.Cut(text, "=")
	if !assigned {
		name, value = "", text
	}
	parts := strings.Split(value, ":")
	for i, part := range parts {
		for _, m := range mounts {
			if rest, ok := strings.CutPrefix(part, m.guest); ok && (rest == "" || rest[0] == '/') {
				parts[i] = m.host + rest
			}
		}
	}
	if value = strings.Join(parts, ":"); assigned {
		return name + "=" + value
	}
	return value
}

// writeNotRun tells the helpers which tests must not run.
func writeNotRun(file string, rules []leftOut) error {
	pairs := [][2]string{}
	for _, r := range rules {
		if r.NotRun {
			for _, t := range r.Tests {
				pairs = append(pairs, [2]string{t, r.Reason})
			}
		}
	}
	b, err := json.Marshal(pairs)
	if err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}

// tail is the end of a log, for people.
func tail(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "\n")
}
