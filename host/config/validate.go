package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wasgi/wasgi/tenants/destination"
)

// Validate refuses values that cannot work and says what to write instead. All
// faults are reported at once.
func (c *Config) Validate() error {
	var errs []error
	fault := func(key, format string, args ...any) {
		errs = append(errs, &settingError{key, fmt.Errorf(format, args...)})
	}
	c.validateAddresses(fault)
	c.validateProxies(fault)
	c.validateTLS(fault)
	c.validateEgress(fault)
	c.validateWords(fault)
	c.validateNumbers(fault)
	c.validateTraces(fault)
	c.validateDurations(fault)
	c.validateMemory(fault)
	return errors.Join(errs...)
}

// settingError is what is wrong with one setting.
type settingError struct {
	key string
	err error
}

func (f *settingError) Error() string { return f.key + ": " + f.err.Error() }

func (f *settingError) Unwrap() error { return f.err }

// located says where each setting that Validate refuses comes from.
func located(err error, origins map[string]string) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		var f *settingError
		if errors.As(e, &f) && origins[f.key] != "" {
			e = fmt.Errorf("%s: %w", origins[f.key], f.err)
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

type faultFunc func(key, format string, args ...any)

func (c *Config) validateAddresses(fault faultFunc) {
	if c.Root == "" {
		fault("root", "name the folder of the applications")
	}
	c.validateListeners(fault)
	c.validateAPI(fault)
}

func (c *Config) validateEgress(fault faultFunc) {
	if _, err := destination.ParseAll(c.Egress.Items()); err != nil {
		fault("egress", "%w", err)
	}
	if c.EgressResolver == "" {
		return
	}
	if at, err := netip.ParseAddrPort(c.EgressResolver); err != nil || at.Port() == 0 {
		fault("egress_resolver", "%q is no address and port such as 10.0.0.53:53", c.EgressResolver)
	}
}

func (c *Config) validateTraces(fault faultFunc) {
	if c.TraceEndpoint == "" {
		return
	}
	u, err := url.Parse(c.TraceEndpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		fault("trace_endpoint", "%q is no URL such as http://127.0.0.1:4318/v1/traces", c.TraceEndpoint)
	}
}

func (c *Config) validateProxies(fault faultFunc) {
	if _, _, err := c.Proxies(); err != nil {
		fault("trusted_proxies", "%w", err)
	} else if c.ProxyProtocol != "off" && len(c.TrustedProxies.Items()) == 0 {
		fault("proxy_protocol", "it counts from trusted_proxies only, and there are none: list the proxies")
	}
}

func (c *Config) validateWords(fault faultFunc) {
	for _, w := range []struct {
		key, value string
		allowed    []string
	}{
		{"access_log", c.AccessLog, []string{"combined", "json", "off"}},
		{"isolation_level", c.IsolationLevel, []string{"inprocess", "process"}},
		{"proxy_header", c.ProxyHeader, []string{"x-forwarded", "forwarded"}},
		{"proxy_protocol", c.ProxyProtocol, []string{"off", "optional", "require"}},
		{"tls_min_version", c.TLSMinVersion, []string{"1.2", "1.3"}},
		{"log_format", c.LogFormat, []string{"text", "json"}},
		{"log_level", c.LogLevel, []string{"debug", "info", "warn", "error"}},
	} {
		if !slices.Contains(w.allowed, w.value) {
			fault(w.key, "%q is none of %s", w.value, strings.Join(w.allowed, ", "))
		}
	}
	if c.HTTP2Possible() && c.MaxHeaderBytes < leastHTTP2Header {
		fault("max_header_bytes", "HTTP/2 needs %s at least: raise it, or set http2 and h2c to false", leastHTTP2Header)
	}
	if strings.ContainsFunc(c.ServerHeader, func(r rune) bool { return r < ' ' || r > '~' }) {
		fault("server_header", "%q has characters that no header may have", c.ServerHeader)
	}
}

// leastHTTP2Header leaves half of itself: net/http adds 4096 bytes to its limit
// in HTTP/1 and none in HTTP/2.
const leastHTTP2Header = 8 * KiB

func (c *Config) validateNumbers(fault faultFunc) {
	for _, n := range []struct {
		key                string
		value, least, most int64
	}{
		{"keep_releases", int64(c.KeepReleases), 2, 1000},
		{"max_bundle", int64(c.MaxBundle), int64(KiB), 1 << 40},
		{"max_bundle_content", int64(c.MaxBundleContent), int64(KiB), 1 << 40},
		{"max_bundle_files", int64(c.MaxBundleFiles), 1, 500_000},
		{"slots", int64(c.Slots), 1, 4096},
		{"builders", int64(c.Builders), 1, 1024},
		{"memory_budget", int64(c.MemoryBudget), int64(128 * MiB), 1 << 50},
		{"memory_per_tenant", int64(c.MemoryPerTenant), int64(32 * MiB), 1 << 50},
		{"memory_per_instance", int64(c.MemoryPerInstance), int64(32 * MiB), int64(4 * GiB)},
		{"max_instances", int64(c.MaxInstances), 1, 1024},
		{"max_weight", int64(c.MaxWeight), 1, 1000},
		{"open_files", int64(c.OpenFiles), 8, 65536},
		{"queue_length", int64(c.QueueLength), 0, 100_000},
		{"body_rate", int64(c.BodyRate), 1, int64(GiB)},
		{"max_header_bytes", int64(c.MaxHeaderBytes), int64(KiB), int64(512 * KiB)},
		{"max_headers", int64(c.MaxHeaders), 8, 512},
		{"max_line", int64(c.MaxLine), 256, int64(256 * KiB)},
		{"max_body", int64(c.MaxBody), 0, 1 << 40},
		{"spool_memory", int64(c.SpoolMemory), 0, int64(GiB)},
		{"spool_memory_total", int64(c.SpoolMemoryTotal), 0, 1 << 50},
		{"spool_disk_total", int64(c.SpoolDiskTotal), 0, 1 << 50},
		{"response_buffer", int64(c.ResponseBuffer), 0, int64(GiB)},
		{"response_memory_total", int64(c.ResponseMemoryTotal), 0, 1 << 50},
		{"max_connections", int64(c.MaxConnections), 1, 1 << 20},
		{"max_connections_per_address", int64(c.MaxConnectionsPerAddress), 0, 1 << 20},
		{"max_streams", int64(c.MaxStreams), 1, 1000},
		{"egress_connections", int64(c.EgressConnections), 0, 1 << 20},
		{"egress_per_tenant", int64(c.EgressPerTenant), 0, 65536},
		{"egress_rate", int64(c.EgressRate), 0, 1 << 40},
		{"data_quota", int64(c.DataQuota), 0, 1 << 40},
		{"data_files", int64(c.DataFiles), 0, 10_000_000},
		{"tmp_size", int64(c.TmpSize), 0, int64(4 * GiB)},
		{"trace_one_in", int64(c.TraceOneIn), 0, 1 << 30},
		{"compressors", int64(c.Compressors), 0, 4096},
		{"metrics_tenants", int64(c.MetricsTenants), 0, 100_000},
		{"tenant_log_size", int64(c.TenantLogSize), 0, int64(GiB)},
		{"tenant_log_keep", int64(c.TenantLogKeep), 0, 1000},
		{"tenant_log_rate", int64(c.TenantLogRate), int64(KiB), int64(GiB)},
	} {
		if n.value < n.least || n.value > n.most {
			fault(n.key, "%d is not between %d and %d", n.value, n.least, n.most)
		}
	}
}

func (c *Config) validateDurations(fault faultFunc) {
	for _, d := range []struct {
		key                string
		value, least, most time.Duration
	}{
		{"watch_settle", c.WatchSettle, time.Millisecond, time.Minute},
		{"queue_timeout", c.QueueTimeout, time.Millisecond, time.Hour},
		{"header_timeout", c.HeaderTimeout, time.Millisecond, time.Hour},
		{"idle_timeout", c.IdleTimeout, time.Millisecond, 24 * time.Hour},
		{"body_timeout", c.BodyTimeout, time.Millisecond, 24 * time.Hour},
		{"write_timeout", c.WriteTimeout, time.Millisecond, 24 * time.Hour},
		{"request_timeout", c.RequestTimeout, 10 * time.Millisecond, 24 * time.Hour},
		{"cpu_time", c.CPUTime, 0, 24 * time.Hour},
		{"grace", c.Grace, 0, time.Minute},
		{"start_timeout", c.StartTimeout, 100 * time.Millisecond, time.Hour},
		{"prepare_timeout", c.PrepareTimeout, time.Second, 24 * time.Hour},
		{"drain_timeout", c.DrainTimeout, time.Millisecond, 24 * time.Hour},
	} {
		if d.value < d.least || d.value > d.most {
			fault(d.key, "%s is not between %s and %s", d.value, d.least, d.most)
		}
	}
}
