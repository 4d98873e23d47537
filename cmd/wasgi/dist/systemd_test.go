package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// exposure is what `systemd-analyze security` may say at most, in tenths of its 0
// to 10. It said 2.1 when this was written: what is left is the network, the
// compiled guests (MemoryDenyWriteExecute) and NotifyAccess=all for a takeover.
const exposure = "21"

// newer are keys that systemd before 254 ignores, as the unit says.
func newer(line string) bool { return strings.Contains(line, "'DelegateSubgroup'") }

// TestSystemdAccepts asks systemd itself, where it is installed.
func TestSystemdAccepts(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	dir := t.TempDir()
	for _, name := range []string{"wasgi.service", "wasgi.socket"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// The binary need not be installed here; any that can be executed will do.
		text = []byte(strings.ReplaceAll(string(text), "/usr/bin/wasgi", "/bin/sh"))
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	service := filepath.Join(dir, "wasgi.service")
	said, err := exec.Command("systemd-analyze", "verify", "--man=no", service, filepath.Join(dir, "wasgi.socket")).CombinedOutput()
	if err != nil {
		t.Errorf("verify: %v", err)
	}
	for line := range strings.Lines(string(said)) {
		if strings.HasPrefix(line, dir) && !newer(line) || strings.HasPrefix(line, "wasgi.") {
			t.Errorf("verify: %s", line)
		}
	}
	if said, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold="+exposure, service).CombinedOutput(); err != nil {
		t.Errorf("security: %v\n%s", err, said)
	}
}
