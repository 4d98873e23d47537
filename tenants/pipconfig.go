package tenants

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// configure lets uv use the index that pip is configured with, when uv has
// none of its own: uv does not read pip's files.
func (i *installer) configure(ctx context.Context) {
	if !i.uv || i.python == "" || uvConfigured() {
		return
	}
	pip := &installer{command: []string{i.python, "-m", "pip"}}
	out, err := pip.output(ctx, "config", "list")
	if err != nil {
		return // no pip, so nothing is configured
	}
	i.env, i.args = uvSettings(parsePipConfig(out))
}

// uvConfigured reports whether somebody configured uv's index.
func uvConfigured() bool {
	for _, name := range []string{"UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_CONFIG_FILE"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	files := []string{"/etc/uv/uv.toml"}
	if dir, err := os.UserConfigDir(); err == nil {
		files = append(files, filepath.Join(dir, "uv", "uv.toml"))
	}
	for _, name := range files {
		if _, err := os.Stat(name); err == nil {
			return true
		}
	}
	return false
}

// parsePipConfig reads `pip config list`: lines like global.index-url='…'. What
// the environment says wins over the section for install, and that over the
// global one.
func parsePipConfig(out string) map[string]string {
	rank := map[string]int{"global": 1, "install": 2, ":env:": 3}
	values, from := map[string]string{}, map[string]int{}
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		dot := strings.LastIndexByte(key, '.')
		if !ok || dot < 0 || rank[key[:dot]] == 0 || rank[key[:dot]] < from[key[dot+1:]] {
			continue
		}
		name := key[dot+1:]
		from[name] = rank[key[:dot]]
		values[name] = unrepr(value)
	}
	return values
}

// unrepr undoes Python's repr of a string, as far as settings need it.
func unrepr(s string) string {
	if len(s) < 2 || s[0] != '\'' && s[0] != '"' || s[len(s)-1] != s[0] {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\"`, `"`, `\n`, "\n", `\t`, "\t").Replace(s[1 : len(s)-1])
}

// uvSettings translates pip's settings. Addresses go through the environment:
// they may hold a password, and arguments are public.
func uvSettings(pip map[string]string) (env, args []string) {
	for _, pair := range []struct{ pip, uv string }{
		{"index-url", "UV_DEFAULT_INDEX"}, {"extra-index-url", "UV_INDEX"}, {"trusted-host", "UV_INSECURE_HOST"},
		{"default-timeout", "UV_HTTP_TIMEOUT"}, {"timeout", "UV_HTTP_TIMEOUT"},
	} {
		if v := strings.Join(strings.Fields(pip[pair.pip]), " "); v != "" {
			env = append(env, pair.uv+"="+v)
		}
	}
	if v := pip["cert"]; v != "" && os.Getenv("SSL_CERT_FILE") == "" {
		env = append(env, "SSL_CERT_FILE="+v)
	}
	if v := pip["no-index"]; v == "true" || v == "1" || v == "yes" {
		args = append(args, "--no-index")
	}
	for _, link := range strings.Fields(pip["find-links"]) {
		// A folder that is not there is nothing to pip and an error to uv.
		if info, err := os.Stat(link); strings.Contains(link, "://") || err == nil && info.IsDir() {
			args = append(args, "--find-links", link)
		}
	}
	return env, args
}
