package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestPythonIsInterrupted sends what Ctrl-C does: the program sees
// KeyboardInterrupt, as under python, and may clean up.
func TestPythonIsInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := "try:\n    print('ready', flush=True)\n    while True: pass\nfinally:\n    print('cleaned up', flush=True)"
	c := exec.Command(w.binary, "python", "-c", code)
	c.Dir, c.Env = t.TempDir(), environment(w.cache, t.TempDir())
	out, log := newTranscript(), newTranscript()
	c.Stdout, c.Stderr = out, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() }) // does nothing when it has ended
	out.wait(t, regexp.MustCompile(`(?m)^ready$`), 0)
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if status := c.ProcessState.ExitCode(); status != 130 {
		t.Errorf("exit status %d, want 130", status)
	}
	if got := out.String(); got != "ready\ncleaned up\n" {
		t.Errorf("it wrote %q", got)
	}
	if text := strings.TrimSpace(log.String()); !strings.HasSuffix(text, "KeyboardInterrupt") {
		t.Errorf("standard error:\n%s", text)
	}
}
