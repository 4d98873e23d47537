package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"

	"github.com/wasgi/wasgi/host"
)

func options(t *testing.T, name string) []*unit.UnitOption {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := unit.DeserializeOptions(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return all
}

func value(all []*unit.UnitOption, section, name string) string {
	for _, o := range all {
		if o.Section == section && o.Name == name {
			return o.Value
		}
	}
	return ""
}

// TestUnits looks at what a mistake would be costly in.
func TestUnits(t *testing.T) {
	service, socket := options(t, "wasgi.service"), options(t, "wasgi.socket")
	for name, want := range map[string]string{
		"Type": "notify", "NotifyAccess": "all", "DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "CapabilityBoundingSet": "",
		"Delegate": "yes", "DelegateSubgroup": "host", "ExecReload": "kill -HUP $MAINPID", "StateDirectoryMode": "0700",
	} {
		if got := value(service, "Service", name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if value(service, "Service", "MemoryDenyWriteExecute") != "" {
		t.Error("compiled guests could not be run")
	}
	if value(socket, "Socket", "FileDescriptorName") != "http" || value(socket, "Socket", "Accept") != "" {
		t.Error("the socket is not one that the server takes")
	}
	for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(value(service, "Service", "ExecStart"), -1) {
		if flag != "--config" && !known(strings.ReplaceAll(strings.TrimPrefix(flag, "--"), "-", "_")) {
			t.Errorf("%s is no flag", flag)
		}
	}
}

// known says whether the environment may set a key.
func known(key string) bool {
	old, had := os.LookupEnv("WASGI_" + strings.ToUpper(key))
	defer func() {
		if had {
			os.Setenv("WASGI_"+strings.ToUpper(key), old)
		} else {
			os.Unsetenv("WASGI_" + strings.ToUpper(key))
		}
	}()
	os.Setenv("WASGI_"+strings.ToUpper(key), "\x00")
	c, err := host.LoadConfig("", nil)
	return err != nil || !slices.ContainsFunc(c.Warnings, func(w string) bool { return strings.Contains(w, strings.ToUpper(key)) })
}

// TestUnitsVerify asks systemd, where it is.
func TestUnitsVerify(t *testing.T) {
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is missing")
	}
	dir := t.TempDir()
	for _, name := range []string{"wasgi.service", "wasgi.socket"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "/usr/bin/wasgi", "/bin/true")) // which is there
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), program, "verify", "--man=no", filepath.Join(dir, "wasgi.service"), filepath.Join(dir, "wasgi.socket")).CombinedOutput()
	strange := regexp.MustCompile(`(?m)^.*Unknown key 'DelegateSubgroup'.*$`).ReplaceAllString(string(out), "") // before systemd 254
	if err != nil || strings.Contains(strange, "Unknown") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDockerfile holds the lines that a linter would ask for: one base, no root, a
// fixed form of the commands, and settings that exist.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	joined := strings.ReplaceAll(string(text), "\\\n", " ")
	var words []string
	for line := range strings.Lines(joined) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		words = append(words, word)
		switch word {
		case "ENTRYPOINT", "CMD", "VOLUME":
			if !strings.HasPrefix(rest, "[") {
				t.Errorf("%s is no list", line)
			}
		case "USER":
			if rest != "65532:65532" {
				t.Errorf("the user is %s", rest)
			}
		case "ENV":
			for _, key := range regexp.MustCompile(`WASGI_([A-Z_]+)=`).FindAllStringSubmatch(rest, -1) {
				if !known(strings.ToLower(key[1])) {
					t.Errorf("WASGI_%s is no setting", key[1])
				}
			}
		}
	}
	if want := []string{"FROM", "COPY", "USER", "WORKDIR", "ENV", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}; !slices.Equal(words, want) {
		t.Errorf("the instructions are %v, want %v", words, want)
	}
}
