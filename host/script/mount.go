package script

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Mount is a folder of this machine that a program sees.
type Mount struct {
	Host     string // absolute path of a folder
	Guest    string // absolute path, clean
	Writable bool
}

// ParseMount reads HOST:GUEST[:ro|:rw]; without a mode it is read-only. HOST
// must be a folder. GUEST must be absolute and not the root.
func ParseMount(spec string) (Mount, error) {
	host, rest, ok := strings.Cut(spec, ":")
	if !ok || host == "" {
		return Mount{}, fmt.Errorf("mount %q: want HOST:GUEST or HOST:GUEST:rw", spec)
	}
	guest, mode, _ := strings.Cut(rest, ":")
	if mode != "" && mode != "ro" && mode != "rw" {
		return Mount{}, fmt.Errorf("mount %q: the mode is %q, want ro or rw", spec, mode)
	}
	if !path.IsAbs(guest) || path.Clean(guest) == "/" || path.Clean(guest) != guest {
		return Mount{}, fmt.Errorf("mount %q: the guest path is %q, want an absolute path such as /work, without a slash at the end", spec, guest)
	}
	abs, err := filepath.Abs(host)
	if err != nil {
		return Mount{}, fmt.Errorf("mount %q: %w", spec, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return Mount{}, fmt.Errorf("mount %q: %w", spec, err)
	}
	if !info.IsDir() {
		return Mount{}, fmt.Errorf("mount %q: %s is not a folder; mount the folder it is in", spec, abs)
	}
	return Mount{Host: abs, Guest: guest, Writable: mode == "rw"}, nil
}
