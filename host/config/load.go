package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// EnvPrefix starts the environment variables that are settings.
const EnvPrefix = "WASGI_"

// Load puts the layers together: defaults, file ("" for none), environment
// WASGI_*, and the flags of fs that were given (nil for none). It fails on a
// file that is not TOML, an unknown key in it, a value of the wrong kind, and a
// combination that Validate refuses. Errors name the layer; those about a file
// begin with file:line.
func Load(file string, fs *pflag.FlagSet) (Config, error) {
	return load(file, fs, os.Environ(), os.Getuid())
}

func load(file string, fs *pflag.FlagSet, environ []string, uid int) (Config, error) {
	l := &loader{k: koanf.New("."), config: Default(environ, uid), origins: map[string]string{}}
	l.fields = fields(&l.config)
	if err := errors.Join(l.file(file), l.environ(environ), l.flags(fs)); err != nil {
		return Config{}, err
	}
	if passesSockets(environ, os.Getpid()) {
		l.config.Listen = "systemd"
	}
	if err := l.assign(); err != nil {
		return Config{}, err
	}
	if err := l.config.Validate(); err != nil {
		return Config{}, located(err, l.origins)
	}
	return l.config.Absolute()
}

// loader merges layers and remembers where each key came from.
type loader struct {
	k       *koanf.Koanf
	config  Config
	fields  []field
	origins map[string]string
}

func (l *loader) file(path string) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	keys, err := keyLines(path, text)
	if err != nil {
		return err
	}
	var errs []error
	for _, at := range keys {
		origin := fmt.Sprintf("%s:%d", path, at.line)
		if !l.known(at.key) {
			errs = append(errs, fmt.Errorf("%s: unknown key %q%s", origin, at.key, l.suggest(at.key)))
		}
		l.origins[at.key] = origin + ": " + at.key
	}
	errs = append(errs, l.k.Load(rawbytes.Provider(text), toml.Parser()))
	return errors.Join(errs...)
}

// environ takes known names only: orchestrators put variables of their own
// beside ours (Kubernetes sets WASGI_PORT for a service named wasgi), so an
// unknown one is a warning.
func (l *loader) environ(environ []string) error {
	return l.k.Load(env.Provider(".", env.Opt{
		Prefix:      EnvPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			key := strings.ToLower(strings.TrimPrefix(name, EnvPrefix))
			if !l.known(key) {
				l.warn(name, key)
				return "", nil
			}
			l.origins[key] = name
			return key, value
		},
	}), nil)
}

func (l *loader) warn(name, key string) {
	if hint := l.suggest(key); hint != "" {
		l.config.Warnings = append(l.config.Warnings, "environment variable "+name+" is no setting"+hint)
	}
}

func (l *loader) flags(fs *pflag.FlagSet) error {
	if fs == nil {
		return nil
	}
	return l.k.Load(posflag.ProviderWithFlag(fs, ".", l.k, func(f *pflag.Flag) (string, any) {
		key := flagKey(f.Name)
		if !f.Changed || !l.known(key) {
			return "", nil
		}
		l.origins[key] = "--" + f.Name
		return key, f.Value.String()
	}), nil)
}

// assign sets the fields. Those that decide the defaults of others come first.
func (l *loader) assign() error {
	var errs []error
	for _, f := range l.fields {
		if slices.Contains([]string{"memory_budget", "listen", "http2", "h2c"}, f.key) && l.k.Exists(f.key) {
			_ = f.assign(l.k.Get(f.key)) // an error is found again below
		}
	}
	l.config.scale()
	for _, f := range l.fields {
		if !l.k.Exists(f.key) {
			continue
		}
		if err := f.assign(l.k.Get(f.key)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", l.origins[f.key], err))
		}
	}
	return errors.Join(errs...)
}

func (l *loader) known(key string) bool {
	for _, f := range l.fields {
		if f.key == key {
			return true
		}
	}
	return false
}

func (l *loader) suggest(key string) string {
	keys := make([]string, len(l.fields))
	for i, f := range l.fields {
		keys[i] = f.key
	}
	if near := closest(key, keys); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// passesSockets says whether environ is that of a process to which systemd passes
// sockets (sd_listen_fds(3)).
func passesSockets(environ []string, pid int) bool {
	n, err := strconv.Atoi(lookup(environ, "LISTEN_FDS"))
	return err == nil && n > 0 && lookup(environ, "LISTEN_PID") == strconv.Itoa(pid)
}

// Absolute makes files and folders independent of a later change of directory.
func (c Config) Absolute() (Config, error) {
	for _, l := range []*List{&c.TLSCert, &c.TLSKey} {
		paths := l.Items()
		for i, path := range paths {
			abs, err := filepath.Abs(path)
			if err != nil {
				return c, fmt.Errorf("configuration: %w", err)
			}
			paths[i] = abs
		}
		*l = List(strings.Join(paths, ","))
	}
	for _, p := range []*string{&c.Root, &c.StateDir, &c.CacheDir, &c.ACMERoot} {
		if *p == "" && p == &c.ACMERoot {
			continue
		}
		abs, err := filepath.Abs(*p)
		if err != nil {
			return c, fmt.Errorf("configuration: %w", err)
		}
		*p = abs
	}
	return c, nil
}
