package tenants

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wasgi/wasgi/tenants/destination"
)

// NameOf is the tenant's name for an application that is served or run by its
// folder alone: the folder's name in lower case, or "app" when that is none.
// `wasgi dev` and `wasgi python` agree on it, and so on the same /data.
func NameOf(dir string) string {
	name := strings.ToLower(filepath.Base(dir))
	if CheckName(name) != nil {
		return "app"
	}
	return name
}

// CheckName says what is wrong with a tenant's name, nil when it is fine: up to
// 63 characters of a-z, 0-9, '.', '_' and '-', the first a letter or digit.
func CheckName(name string) error {
	ok := len(name) >= 1 && len(name) <= 63
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		ok = ok && (letter || i > 0 && (c == '.' || c == '_' || c == '-'))
	}
	if ok {
		return nil
	}
	return fmt.Errorf("%q cannot be a tenant's name: use 1 to 63 of a-z, 0-9, '.', '_', '-', "+
		"the first a letter or digit; rename the folder", name)
}

// CheckHost says what is wrong with a host name of a manifest: a name as a
// browser sends it (lower case, no port, no trailing dot), an IPv4 address, an
// IPv6 address in brackets, or "*." and a name.
func CheckHost(host string) error {
	name := strings.TrimPrefix(host, "*.")
	switch {
	case name == "" || len(name) > 253:
		return fmt.Errorf("%q is no host name", host)
	case strings.HasPrefix(name, "["):
		if NormalizeHost(name) == name && name == host {
			return nil
		}
		return fmt.Errorf("%q is no IPv6 address in its shortest form with brackets, like \"[::1]\"", host)
	case NormalizeHost(name) != name:
		return fmt.Errorf("%q is not as requests carry it: write it in lower case, without port and trailing dot", host)
	}
	for label := range strings.SplitSeq(name, ".") {
		if !checkLabel(label) {
			return fmt.Errorf("%q is no host name (write international names in their xn-- form)", host)
		}
	}
	return nil
}

func checkLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// CheckPrefix says what is wrong with a path prefix: "/", or segments without
// ".", ".." and empty ones, written decoded and without a slash at the end.
func CheckPrefix(prefix string) error {
	if prefix == "/" {
		return nil
	}
	if !strings.HasPrefix(prefix, "/") {
		return fmt.Errorf("path %q must start with \"/\"", prefix)
	}
	if !utf8.ValidString(prefix) || strings.ContainsAny(prefix, "?#%\\") || strings.ContainsFunc(prefix, isControl) {
		return fmt.Errorf("path %q must be written decoded, without ?, #, %%, \\ and control characters", prefix)
	}
	for segment := range strings.SplitSeq(prefix[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("path %q must have no empty, \".\" or \"..\" segment and no slash at the end", prefix)
		}
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// manifestText is the file in which a fault is mended.
type manifestText struct {
	file  string
	data  []byte
	table []string
}

// check validates a manifest, reporting every fault.
func (m *Manifest) check(in manifestText) error {
	c := &checker{in: in}
	if m.Folder != "" {
		c.fault("folder", "is for a manifest beside the applications' folders, such as shop.toml: this one's folder is where it lies")
	}
	c.entry(m.Entry)
	c.all("hosts", m.Hosts, CheckHost)
	c.all("paths", m.Paths, CheckPrefix)
	c.all("python_path", m.PythonPath, checkFolder)
	c.all("warmup.paths", m.Warmup.Paths, checkWarmup)
	if m.Health.Path != "" {
		c.all("health.path", []string{m.Health.Path}, checkWarmup)
	}
	c.all("network.allow", m.Network.Allow, checkDestination)
	c.pool(m.Network)
	if m.Isolation != Reuse && m.Isolation != Fresh {
		c.fault("isolation", fmt.Sprintf("%q; write \"reuse\" or \"fresh\"", m.Isolation))
	}
	if l := m.IsolationLevel; l != "" && l != InProcess && l != WorkerProcess {
		c.fault("isolation_level", fmt.Sprintf("%q; write \"inprocess\" or \"process\"", l))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Env)) {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(m.Env[name], "\x00") {
			c.fault("env", fmt.Sprintf("%q cannot be an environment variable", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Environ)) {
		if err := checkVariable(name, m.Environ[name]); err != nil {
			c.fault("environ", err.Error())
		}
	}
	for _, what := range slices.Sorted(maps.Keys(m.Cron)) {
		if err := checkJob(what, m.Cron[what]); err != nil {
			c.fault("cron", err.Error())
		}
	}
	if len(m.Cron) > maxJobs {
		c.fault("cron", fmt.Sprintf("%d jobs; there may be %d", len(m.Cron), maxJobs))
	}
	c.front(m)
	c.limits(m)
	c.instances(m)
	return errors.Join(c.faults...)
}

type checker struct {
	in     manifestText
	faults []error
}

func (c *checker) fault(key, text string) {
	line := lineOf(c.in.data, strings.Join(append(slices.Clone(c.in.table), key), "."))
	c.faults = append(c.faults, &ManifestError{c.in.file, line, key, text})
}

func (c *checker) all(key string, values []string, check func(string) error) {
	for _, v := range values {
		if err := check(v); err != nil {
			c.fault(key, err.Error())
		}
	}
}

func (c *checker) entry(entry string) {
	if entry == "" {
		return
	}
	if _, err := ParseEntry(entry); err != nil {
		c.fault("entry", err.Error())
	}
}

// front checks what the host answers by itself.
func (c *checker) front(m *Manifest) {
	for _, url := range slices.Sorted(maps.Keys(m.Static)) {
		if err := CheckPrefix(url); err != nil {
			c.entryFault("static", url, err.Error())
		}
		if folder := m.Static[url]; !filepath.IsLocal(folder) || filepath.Clean(folder) == "." {
			c.entryFault("static", url, fmt.Sprintf("%q must be a folder inside the application, like \"static\", and not the application itself: that would show its source", folder))
		}
	}
	for _, from := range slices.Sorted(maps.Keys(m.Redirects)) {
		if _, err := ParseRedirect(from, m.Redirects[from]); err != nil {
			c.entryFault("redirects", from, err.Error())
		}
	}
	c.span("static_max_age", m.StaticMaxAge, 0, 365*24*time.Hour)
	c.size("compress_above", m.CompressAbove, 0, GiB)
}

// entryFault is a fault of one entry of a table of texts.
func (c *checker) entryFault(table, name, text string) {
	line := lineOf(c.in.data, strings.Join(append(slices.Clone(c.in.table), table, strconv.Quote(name)), "."))
	c.faults = append(c.faults, &ManifestError{c.in.file, line, table + "." + strconv.Quote(name), text})
}

func (c *checker) limits(m *Manifest) {
	l, d := m.Limits, m.Data
	c.size("limits.memory", l.Memory, 32*MiB, 4*GiB)
	c.span("limits.request_timeout", l.RequestTimeout, 10*time.Millisecond, 24*time.Hour)
	c.span("limits.cpu_time", l.CPUTime, 0, 24*time.Hour)
	c.span("limits.grace", l.Grace, 0, time.Minute)
	c.span("limits.start_timeout", l.StartTimeout, 100*time.Millisecond, time.Hour)
	c.size("limits.body_size", l.BodySize, 0, TiB)
	c.count("limits.open_files", l.OpenFiles, 8, 65536)
	c.count("warmup.rounds", m.Warmup.Rounds, 1, 100)
	c.span("warmup.timeout", m.Warmup.Timeout, 10*time.Millisecond, time.Hour)
	c.span("health.timeout", m.Health.Timeout, 10*time.Millisecond, time.Hour)
	c.size("data.quota", d.Quota, 0, TiB)
	c.count("data.files", d.Files, 0, 10_000_000)
	c.size("data.tmp", d.Tmp, 0, 4*GiB)
	c.count("network.connections", m.Network.Connections, 0, 65536)
	c.size("network.bytes", m.Network.Bytes, 0, 1024*TiB)
	c.size("network.rate", m.Network.Rate, 0, TiB)
}

func (c *checker) instances(m *Manifest) {
	i := m.Instances
	c.count("instances.max", i.Max, 1, 1024)
	c.count("instances.min", i.Min, 0, max(i.Max, 0))
	c.count("instances.max_requests", i.MaxRequests, 0, 1<<31-1)
	c.span("instances.max_age", i.MaxAge, 0, 365*24*time.Hour)
	c.size("instances.max_memory", i.MaxMemory, 0, 4*GiB)
	c.span("instances.idle", i.Idle, 0, 365*24*time.Hour)
	c.count("instances.queue", i.Queue, 0, 100_000)
	c.span("instances.queue_timeout", i.QueueTimeout, 0, time.Hour)
	c.count("instances.weight", i.Weight, 1, 1000)
}

func (c *checker) size(key string, v, low, high Size) {
	if v < low || v > high {
		c.fault(key, fmt.Sprintf("%s is outside %s to %s", v, low, high))
	}
}

func (c *checker) span(key string, v Duration, low, high time.Duration) {
	if v.Duration < low || v.Duration > high {
		c.fault(key, fmt.Sprintf("%s is outside %s to %s", v.short(), Duration{low}.short(), Duration{high}.short()))
	}
}

func (c *checker) count(key string, v, low, high int) {
	if v < low || v > high {
		c.fault(key, fmt.Sprintf("%d is outside %d to %d", v, low, high))
	}
}

func checkDestination(text string) error {
	_, err := destination.Parse(text)
	return err
}

func checkFolder(p string) error {
	if filepath.IsLocal(p) {
		return nil
	}
	return fmt.Errorf("%q must be a folder inside the application, like \"src\"", p)
}

func checkWarmup(p string) error {
	if strings.HasPrefix(p, "/") && !strings.ContainsFunc(p, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
		return nil
	}
	return fmt.Errorf("%q must be a request path like \"/\" or \"/search?q=x\", percent-encoded", p)
}

// dottedName reports whether s is an importable module or an attribute path.
func dottedName(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if !identifier(part) {
			return false
		}
	}
	return true
}

// identifier reports whether s is a Python name, near enough: keywords pass.
func identifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsNumber(r)) {
			return false
		}
	}
	return s != "" && utf8.ValidString(s)
}
