package tenants

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// installer is uv or pip, and how it is called.
type installer struct {
	command  []string // program and leading arguments
	uv       bool
	version  string   // "uv 0.9.1"
	python   string   // absolute path, "" when there is none
	env      []string // besides the host's environment
	args     []string // besides those of every call
	progress func(step, detail string)
}

// InstallError says that the installer failed, in its own telling lines.
type InstallError struct {
	Tenant    string
	Installer string
	Lines     []string // what the installer said, shortened
	Hint      string   // what to do
	Err       error
}

// Error is the installer's words and what to do.
func (e *InstallError) Error() string {
	said := strings.Join(e.Lines, "\n  ")
	if said == "" {
		said = e.Err.Error()
	}
	return fmt.Sprintf("%s: %s cannot install the dependencies:\n  %s\n%s", e.Tenant, e.Installer, said, e.Hint)
}

// Unwrap gives the error of running the installer.
func (e *InstallError) Unwrap() error { return e.Err }

// findInstaller looks for uv, then for uv as a module of Python, then for pip.
func findInstaller(ctx context.Context, o PrepareOptions) (*installer, error) {
	python, err := exec.LookPath(orDefault(o.Python, "python3"))
	if err == nil {
		python = interpreter(ctx, python)
	} else {
		python = ""
	}
	var candidates []*installer
	if o.Installer == "" || o.Installer == "uv" {
		if uv, err := exec.LookPath("uv"); err == nil {
			candidates = append(candidates, &installer{command: []string{uv}, uv: true})
		}
		if python != "" {
			candidates = append(candidates, &installer{command: []string{python, "-m", "uv"}, uv: true})
		}
	}
	if (o.Installer == "" || o.Installer == "pip") && python != "" {
		candidates = append(candidates, &installer{command: []string{python, "-m", "pip"}})
	}
	for _, i := range candidates {
		i.python, i.progress = python, o.progress
		if i.probe(ctx) {
			i.configure(ctx)
			return i, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("dependencies must be installed, and there is no %s: install uv (python3 -m pip install uv), or Python with pip",
		orDefault(o.Installer, "uv and no pip"))
}

// interpreter is the Python behind a shim of a version manager. pyenv's runs
// hooks after pip, which fail when two applications are installed at once.
func interpreter(ctx context.Context, python string) string {
	i := installer{command: []string{python}}
	out, err := i.output(ctx, "-c", "import sys; print(sys.executable)")
	if path := strings.TrimSpace(out); err == nil && filepath.IsAbs(path) {
		return path
	}
	return python
}

func orDefault(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// probe asks for the version: "uv 0.9.1 (…)", "pip 25.3 from …".
func (i *installer) probe(ctx context.Context) bool {
	out, err := i.output(ctx, "--version")
	words := strings.Fields(out)
	if err != nil || len(words) < 2 {
		return false
	}
	i.version = words[0] + " " + words[1]
	return true
}

// output runs a short command in a folder that nobody else writes to.
func (i *installer) output(ctx context.Context, args ...string) (string, error) {
	dir, err := os.MkdirTemp("", "wasgi-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	cmd := i.cmd(ctx, dir, args)
	out, err := cmd.Output()
	return string(out), err
}

// cmd prepares a call. The folder matters: uv and `python -m` look into it, so
// it is never a tenant's.
func (i *installer) cmd(ctx context.Context, dir string, args []string) *exec.Cmd {
	all := slices.Concat(i.command[1:], args)
	cmd := exec.CommandContext(ctx, i.command[0], all...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "PIP_NO_INPUT=1", "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_ROOT_USER_ACTION=ignore",
		"UV_NO_PROGRESS=1", "UV_PYTHON_DOWNLOADS=never", "UV_NO_BUILD=1")
	cmd.Env = append(cmd.Env, i.env...)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// install puts wheels into site; stage is the folder to run in.
func (i *installer) install(ctx context.Context, stage, site string, what []string) error {
	args := i.pipArgs(site)
	if i.uv {
		args = i.uvArgs(site)
	}
	cmd := i.cmd(ctx, stage, slices.Concat(args, i.args, what))
	said, err := i.follow(cmd)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &InstallError{Installer: i.version, Lines: telling(said), Hint: hint(said), Err: err}
}

// uvArgs ask for wheels of the platform whose compiled parts are then stripped.
// --link-mode=copy: what is stripped must not be a file of uv's cache.
func (i *installer) uvArgs(site string) []string {
	args := []string{"pip", "install", "--target", site, "--python-version", "3.13",
		"--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:", "--no-compile-bytecode", "--link-mode", "copy"}
	if i.python != "" {
		args = append(args, "--python", i.python)
	}
	return args
}

// pipArgs are the same for pip, which wants each platform tag named.
func (i *installer) pipArgs(site string) []string {
	args := []string{"install", "--target", site, "--python-version", "3.13", "--implementation", "cp",
		"--abi", "cp313", "--abi", "abi3", "--abi", "none", "--only-binary", ":all:", "--no-compile", "--progress-bar", "off"}
	for _, tag := range []string{"manylinux_2_28", "manylinux_2_27", "manylinux_2_26", "manylinux_2_24", "manylinux_2_17",
		"manylinux2014", "manylinux_2_12", "manylinux2010", "manylinux_2_5", "manylinux1", "linux"} {
		args = append(args, "--platform", tag+"_x86_64")
	}
	return args
}

// maxSaid bounds the output that is kept of an installer.
const maxSaid = 400

// follow runs the command, reports each line and keeps the last ones. The
// reading goroutine is this one; the command ends with its context.
func (i *installer) follow(cmd *exec.Cmd) ([]string, error) {
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { // ends when the command does: Wait returns at most WaitDelay after the context
		err := cmd.Wait()
		_ = w.Close()
		ended <- err
	}()
	var said []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		i.progress("install", line)
		if said = append(said, line); len(said) > maxSaid {
			said = slices.Delete(said, 0, 1)
		}
	}
	// A line that is too long stops the scanner; the rest must not block the command.
	_, drained := io.Copy(io.Discard, r)
	return said, errors.Join(<-ended, drained)
}

// telling picks the lines that say what is wrong: from uv everything after its
// first error, from pip what it marks.
func telling(said []string) []string {
	const most, longest = 8, 600
	var out []string
	uv := false
	for _, line := range said {
		uv = uv || strings.HasPrefix(line, "error: ")
		if (uv || strings.HasPrefix(line, "ERROR: ")) && !strings.HasPrefix(line, "hint: ") && len(out) < most {
			out = append(out, strings.ToValidUTF8(line[:min(len(line), longest)], ""))
		}
	}
	if len(out) == 0 {
		out = said[max(len(said)-3, 0):]
	}
	return out
}

// hint says what to do about the installer's words.
func hint(said []string) string {
	all := strings.ToLower(strings.Join(said, "\n"))
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(all, p) })
	}
	switch {
	case has("connection refused", "connection error", "connectionerror", "connecttimeout", "retrying (retry(", "failed to fetch",
		"dns error", "timed out", "certificate"):
		return "The package index cannot be reached: check the network and the machine's pip or uv configuration."
	case has("hashes do not match", "hash mismatch", "hashes are required"):
		return "A downloaded file is not the one that the requirements name by hash: check them, or the index."
	case has("no usable wheels", "no wheels", "not found in the package registry", "no matching distribution", "could not find a version",
		"there is no version of", "there are no versions of"):
		return "Only wheels for CPython 3.13 (or any Python) are installed: check the name and version; " +
			"a package without wheels must be replaced, or its wheel put into the application's folder."
	case has("conflict", "unsatisfiable", "incompatible", "no solution found"):
		return "The requirements contradict each other: loosen one of them."
	}
	return "Try the same requirements with `pip download --only-binary :all:` to see more."
}
