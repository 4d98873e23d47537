package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A job is one run of a step.
type job struct {
	ctx   context.Context
	b     *builder
	name  string // of the step
	needs []string
	work  string    // an empty folder to work in, removed afterwards
	out   string    // an empty folder for the result
	log   io.Writer // the step's log file
}

// need returns the folder with the result of a step that this one needs.
func (j *job) need(name string) string { return j.b.out(name) }

// script runs a shell script in the work folder.
func (j *job) script(text string) error {
	file := filepath.Join(filepath.Dir(j.work), "recipe.sh")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	return j.command(j.work, "sh", "-eu", file)
}

// warn tells the person and the log.
func (j *job) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintln(j.log, "warning: "+text)
	j.b.progress.warn(j.name, text)
}

// command runs a program and sends its output to the log.
func (j *job) command(dir string, argv ...string) error { return j.commandIn(j.env(), dir, argv...) }

// commandIn does the same in another environment.
func (j *job) commandIn(env []string, dir string, argv ...string) error {
	fmt.Fprintf(j.log, "+ %s\n", strings.Join(argv, " "))
	cmd := exec.CommandContext(j.ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, env
	cmd.Stdout, cmd.Stderr = j.log, j.log
	ownGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(argv[0]), err)
	}
	return nil
}

// output runs a program and returns what it prints.
func (j *job) output(argv ...string) (string, error) {
	cmd := exec.CommandContext(j.ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Stderr = j.env(), j.log
	b, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	return string(b), nil
}

// env is all that a program sees of the environment. Fixed values keep
// results the same on different machines.
func (j *job) env() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + j.work, "LC_ALL=C.UTF-8", "TZ=UTC",
		"SOURCE_DATE_EPOCH=" + strconv.FormatInt(epoch().Unix(), 10),
		"WORK=" + j.work, "OUT=" + j.out, "JOBS=" + strconv.Itoa(j.b.jobs),
		"CACHE=" + j.b.cache.dir, "GUEST=" + j.b.guest,
	}
	for _, n := range j.needs {
		env = append(env, "NEED_"+n+"="+j.need(n))
	}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasSuffix(strings.ToLower(name), "_proxy") {
			env = append(env, v)
		}
	}
	return env
}
