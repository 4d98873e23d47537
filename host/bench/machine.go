package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/wasgi/wasgi/pywasm"
)

// machine is where and with what a section was measured.
type machine struct {
	Cores  int    `json:"cores"`
	CPU    string `json:"cpu"`
	Kernel string `json:"kernel"`
	Memory string `json:"memory"`
	Load   string `json:"load"` // averages before the part began: a busy machine shows here

	Commit   string            `json:"commit"`
	Guest    string            `json:"guest"` // version and digest
	Python   string            `json:"python"`
	Versions map[string]string `json:"versions"`
}

func (b *bench) describe() machine {
	return machine{
		Cores: b.cores, CPU: field("/proc/cpuinfo", "model name"), Kernel: output("uname", "-r"),
		Memory: field("/proc/meminfo", "MemTotal"), Load: firstWords("/proc/loadavg", 3),
		Commit: output("git", "describe", "--always", "--dirty"), Guest: guestVersion(),
		Python: pythonVersion(b.venvPython()), Versions: versions(),
	}
}

// guestVersion comes from the manifest that is embedded in this program, which
// make bench builds together with the binary.
func guestVersion() string {
	art, err := pywasm.Load()
	if err != nil {
		return err.Error()
	}
	m := art.Manifest()
	digest := m.Digest(pywasm.WasmFile)
	return "CPython " + m.Python + " (python.wasm " + digest[:min(12, len(digest))] + ")"
}

// pythonVersion tells how an interpreter was compiled too: the optimisation is
// worth tens of per cent. Debian's does not keep how it was configured.
func pythonVersion(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		if owner := output("dpkg", "-S", real); owner != "unknown" {
			return debianPython(output("dpkg-query", "-W", packageOf(owner)), runtime.GOARCH)
		}
	}
	return output(path, "-c", "import platform, sysconfig as s; a = s.get_config_var('CONFIG_ARGS') or ''; "+
		"print(platform.python_version(), *[w for w in (s.get_config_var('CFLAGS') or '').split() if w.startswith('-O')][-1:], "+
		"'with' if 'enable-optimizations' in a else 'without', 'profile-guided optimisation')")
}

// packageOf is the package in what dpkg -S says: package[:architecture]: path.
func packageOf(owner string) string {
	name, _, _ := strings.Cut(owner, ":")
	return name
}

// debianPython words what dpkg-query -W says of an interpreter's package. Its
// changelog says which processors' are optimised with a profile.
func debianPython(versioned, arch string) string {
	name, version, _ := strings.Cut(versioned, "\t")
	text := "Debian's " + name + " " + version
	if arch == "amd64" || arch == "arm64" {
		text += ", with profile-guided optimisation"
	}
	return text
}

// versions are those of Go, wazero, wrk and every package of peers.txt.
func versions() map[string]string {
	out := map[string]string{"go": runtime.Version(), "wrk": wrkVersion(output("sh", "-c", "wrk -v 2>&1 || true"))}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				out["wazero"] = d.Version
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(benchDir(), "peers.txt"))
	if err == nil {
		for name, version := range pins(string(text)) {
			out[name] = version
		}
	}
	return out
}

// wrkVersion is the second word of what wrk -v says.
func wrkVersion(text string) string {
	words := strings.Fields(text)
	if len(words) < 2 || words[0] != "wrk" {
		return "unknown"
	}
	return words[1]
}

// pins reads name==version from a file of requirements.
func pins(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(line, "==")
		if ok && !strings.HasPrefix(name, "#") && len(strings.Fields(rest)) > 0 {
			out[name] = strings.Fields(rest)[0]
		}
	}
	return out
}

// field is the first value of a key in a file of "key : value" lines.
func field(path, key string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func firstWords(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	words := strings.Fields(string(text))
	return strings.Join(words[:min(n, len(words))], " ")
}

func output(args ...string) string {
	out, err := exec.Command(args[0], args[1:]...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
