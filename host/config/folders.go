package config

import (
	"path/filepath"
	"strings"
)

// folders follows the XDG base directories for a user and the file system
// hierarchy for root.
func folders(environ []string, uid int) (state, cache string) {
	if uid == 0 {
		return "/var/lib/wasgi", "/var/cache/wasgi"
	}
	home := lookup(environ, "HOME")
	return xdg(environ, "XDG_STATE_HOME", home, ".local/state"), xdg(environ, "XDG_CACHE_HOME", home, ".cache")
}

// xdg ignores a relative value, as the specification asks.
func xdg(environ []string, name, home, fallback string) string {
	if dir := lookup(environ, name); filepath.IsAbs(dir) {
		return filepath.Join(dir, "wasgi")
	}
	if home == "" {
		return ".wasgi"
	}
	return filepath.Join(home, fallback, "wasgi")
}

func lookup(environ []string, name string) string {
	value := ""
	for _, e := range environ {
		if k, v, ok := strings.Cut(e, "="); ok && k == name {
			value = v
		}
	}
	return value
}
