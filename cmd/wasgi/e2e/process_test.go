package e2e

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// program is one run of the binary that ends by itself.
type program struct {
	args  []string
	dir   string // "" for an empty folder
	stdin string
	state string   // "" for an empty folder
	env   []string // besides the world's
}

// outcome is what a program did.
type outcome struct {
	t              *testing.T
	what           string
	status         int
	stdout, stderr string
}

func (w world) run(t *testing.T, p program) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if p.dir == "" {
		p.dir = t.TempDir()
	}
	if p.state == "" {
		p.state = t.TempDir()
	}
	c := exec.CommandContext(ctx, w.binary, p.args...)
	c.Dir, c.Stdin = p.dir, strings.NewReader(p.stdin)
	c.Env = append(environment(w.cache, p.state), p.env...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if failed := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &failed) || ctx.Err() != nil) {
		t.Fatalf("wasgi %q: %v\n%s", p.args, err, stderr.String())
	}
	what := "wasgi " + strings.Join(p.args, " ")
	return outcome{t, what, c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// python runs `wasgi python` with arguments in an empty folder.
func (w world) python(t *testing.T, args ...string) outcome {
	t.Helper()
	return w.run(t, program{args: append([]string{"python"}, args...)})
}

// wrote compares status and both streams.
func (o outcome) wrote(status int, stdout, stderr string) outcome {
	o.t.Helper()
	if o.status != status || o.stdout != stdout || o.stderr != stderr {
		o.t.Errorf("%s:\n ended with %d and wrote %q and on standard error %q\n want       %d           %q                       %q",
			o.what, o.status, o.stdout, o.stderr, status, stdout, stderr)
	}
	return o
}

// exited compares the status.
func (o outcome) exited(status int) outcome {
	o.t.Helper()
	if o.status != status {
		o.t.Errorf("%s: exit status %d, want %d; it wrote:\n%s%s", o.what, o.status, status, o.stdout, o.stderr)
	}
	return o
}

// printed says that standard output has each of the parts.
func (o outcome) printed(parts ...string) outcome {
	o.t.Helper()
	for _, p := range parts {
		if !strings.Contains(o.stdout, p) {
			o.t.Errorf("%s: standard output lacks %q:\n%s", o.what, p, o.stdout)
		}
	}
	return o
}

// complained says that standard error has each of the parts.
func (o outcome) complained(parts ...string) outcome {
	o.t.Helper()
	for _, p := range parts {
		if !strings.Contains(o.stderr, p) {
			o.t.Errorf("%s: standard error lacks %q:\n%s", o.what, p, o.stderr)
		}
	}
	return o
}
