package config

import (
	"runtime"
	"time"
)

// Config is everything that can be set for the whole host. What belongs to one
// application is in its own wasgi.toml (package tenants), and a tenant's limits
// never go above those here.
type Config struct {
	// Root is the folder whose sub folders are the tenants; with Dev, the folder of
	// the one application.
	Root string `koanf:"root" help:"folder of the applications, one sub folder each"`
	// Listen are the addresses for clients, one or several: host:port (port 0 takes a
	// free one), unix:/path (unix:/path?mode=0660 sets the permissions of the socket),
	// systemd:NAME for the sockets of that name that systemd passes, systemd for all
	// that nothing else names, or fd:N for a descriptor that the process was started
	// with. https:// before any of them means TLS (see TLSCert). When systemd passes
	// sockets and this is not set, it is systemd.
	Listen List `koanf:"listen" help:"addresses for clients: host:port, unix:/path, systemd or fd:N, with https:// before it for TLS"`
	// AdminListen is the address for probes (/healthz, /readyz) and /metrics, in any of these forms
	// but https://. Empty turns them off. It must not be reachable by clients.
	AdminListen string `koanf:"admin_listen" help:"address for health probes, empty for none"`
	// APIListen is the address of the admin API, which wasgi's own commands speak to,
	// in any of these forms. Through a Unix socket whoever may open it has all rights;
	// everywhere else clients show a token (wasgi token create). Empty is a socket in
	// StateDir, api.sock; off turns the API off.
	APIListen string `koanf:"api_listen" help:"address of the admin API, empty for a socket in state_dir, or off"`
	// APIHosts are the names by which clients may address the API on TCP, besides
	// those of this machine's loopback and the address itself.
	APIHosts List `koanf:"api_hosts" help:"names in Host that the admin API answers to, besides its own address"`
	// Console serves the web console below /console/: on APIListen, and on AdminListen
	// when only this machine can reach that. People log in with the API's tokens; with
	// APIListen off there is none.
	Console bool `koanf:"console" help:"serve the web console on api_listen, and on admin_listen where that is local"`
	// AuditFile gets a line of JSON for each change that somebody asks the API for,
	// and for each refusal. Empty is audit.log in StateDir; - is standard output.
	AuditFile string `koanf:"audit_file" help:"file of the admin API's audit log, empty for audit.log in state_dir"`
	// KeepReleases is how many releases of a tenant that was deployed are kept, the one
	// that serves included.
	KeepReleases int `koanf:"keep_releases" help:"releases of a deployed application that are kept"`
	// MaxBundle, MaxBundleContent and MaxBundleFiles bound what is uploaded: the
	// archive, what it unpacks to, and how many files and folders.
	MaxBundle Bytes `koanf:"max_bundle" help:"size of an uploaded bundle"`
	// MaxBundleContent is what a bundle may unpack to.
	MaxBundleContent Bytes `koanf:"max_bundle_content" help:"size of all files of an uploaded bundle"`
	// MaxBundleFiles is how many files and folders a bundle may have.
	MaxBundleFiles int `koanf:"max_bundle_files" help:"files and folders of an uploaded bundle"`
	// StateDir holds what outlives a restart: releases, snapshots, tenants' data.
	// Snapshots are memory images that may hold secrets: it is created with mode 0700.
	StateDir string `koanf:"state_dir" help:"folder for releases, snapshots and tenants' data"`
	// CacheDir holds what may be deleted at any time: compiled guest code, the byte
	// code of applications and packages (at most 512 MiB), and downloads.
	CacheDir string `koanf:"cache_dir" help:"folder for compiled code and downloads"`
	// Dev serves one application at / for its author: tracebacks in the page, reload
	// on every change, interpreters reused.
	Dev bool `koanf:"dev" help:"serve one application for its author: tracebacks in the page, reload on change"`
	// Watch reloads a tenant when its files change, and finds new and removed ones.
	Watch bool `koanf:"watch" help:"reload applications when their files change"`
	// WatchSettle is how long a folder must be quiet before it is loaded, so that no
	// half-written release is served.
	WatchSettle time.Duration `koanf:"watch_settle" reload:"yes" help:"quiet time before a changed application is loaded"`

	// Slots is how many guests may use a processor at once.
	Slots int `koanf:"slots" help:"guests that may run at once"`
	// Builders is how many tenants may be prepared (installed, booted, loaded) at once;
	// as many again of those that a request waits for.
	Builders int `koanf:"builders" help:"applications that may be prepared at once"`
	// Spare keeps an interpreter ready for the next start of an application with three
	// packages or more and a limit of 96 MiB or more, which then takes half of the time.
	// 32 MiB of the guests' memory are booked for it, of which it uses 16; it goes when
	// memory is short.
	Spare bool `koanf:"spare" help:"keep an interpreter ready for the next start of an application (32 MiB)"`
	// IsolationLevel is inprocess or process: whether guests run in this process,
	// behind WebAssembly alone, or in a jailed worker process for each application
	// besides. A manifest may ask for process where inprocess is set, never the other
	// way round.
	IsolationLevel string `koanf:"isolation_level" reload:"tenants" help:"where guests run: inprocess, or process for a jailed process for each application"`
	// MemoryBudget is what the process may take in all. What HostMemory does not need
	// is for guests: instances beyond their snapshots, snapshots in RAM, /tmp. The
	// default is four fifths of the machine's memory or of the control group's limit.
	MemoryBudget Bytes `koanf:"memory_budget" help:"memory of the whole process"`
	// MemoryPerTenant is what all instances of one tenant may take of that together.
	MemoryPerTenant Bytes `koanf:"memory_per_tenant" help:"memory of one application, all its instances together"`
	// MemoryPerInstance is the upper limit of one instance's linear memory.
	MemoryPerInstance Bytes `koanf:"memory_per_instance" reload:"tenants" help:"memory limit of one instance"`
	// MaxInstances is how many instances a tenant may have when its manifest sets
	// nothing, and the most that it may want to be kept when they are idle.
	MaxInstances int `koanf:"max_instances" reload:"tenants" help:"instances of one application, unless its manifest says otherwise"`
	// MaxWeight is the largest weight that a manifest may give its application where
	// processors are scarce.
	MaxWeight int `koanf:"max_weight" reload:"tenants" help:"largest weight of an application among the others"`
	// OpenFiles is how many files one instance may have open. A manifest may set less.
	OpenFiles int `koanf:"open_files" reload:"tenants" help:"files that one instance may have open"`
	// QueueLength is how many requests of one tenant may wait for an instance.
	QueueLength int `koanf:"queue_length" reload:"tenants" help:"requests of one application that may wait"`
	// QueueTimeout is how long a request may wait for an instance before it is
	// answered with 503.
	QueueTimeout time.Duration `koanf:"queue_timeout" reload:"tenants" help:"longest wait of a request for an instance"`

	// HeaderTimeout is the time for the request line and the headers, and before them
	// for a PROXY header and the TLS handshake.
	HeaderTimeout time.Duration `koanf:"header_timeout" help:"time for a request's headers"`
	// IdleTimeout is how long a connection may be kept open between requests.
	IdleTimeout time.Duration `koanf:"idle_timeout" help:"time a connection may idle between requests"`
	// BodyTimeout is the time for the request body; every BodyRate bytes that arrive
	// add a second.
	BodyTimeout time.Duration `koanf:"body_timeout" reload:"yes" help:"time for a request's body, plus a second for each body_rate bytes"`
	// BodyRate is the slowest tolerated upload, in bytes a second.
	BodyRate Bytes `koanf:"body_rate" reload:"yes" help:"slowest tolerated upload, bytes a second"`
	// WriteTimeout is how long a client may refuse to take one piece of a response
	// (64 KiB at most) before it is given up.
	WriteTimeout time.Duration `koanf:"write_timeout" help:"longest stall of a client that takes a response"`
	// RequestTimeout is how long the application may take for one request; a guest
	// that is still running is asked to end, and after Grace it is killed. A manifest
	// may set less.
	RequestTimeout time.Duration `koanf:"request_timeout" reload:"tenants" help:"time the application has for one request"`
	// CPUTime is the processor time that a request may use; 0 is no limit but
	// RequestTimeout. A manifest may set less.
	CPUTime time.Duration `koanf:"cpu_time" reload:"tenants" help:"processor time of one request, 0 for no limit"`
	// Grace is what a guest has between being asked to end and being killed: time for
	// finally clauses and close(). A manifest may set less.
	Grace time.Duration `koanf:"grace" reload:"tenants" help:"time between asking an application to end and killing it"`
	// StartTimeout is the time to boot the interpreter and import the application,
	// and how long a request waits for that.
	StartTimeout time.Duration `koanf:"start_timeout" reload:"tenants" help:"time to import an application"`
	// PrepareTimeout is the time to install a tenant's dependencies.
	PrepareTimeout time.Duration `koanf:"prepare_timeout" reload:"yes" help:"time to install an application's dependencies"`
	// DrainTimeout is how long running requests may take at shutdown and after a
	// reload before they are killed.
	DrainTimeout time.Duration `koanf:"drain_timeout" reload:"yes" help:"time for running requests at shutdown and reload"`

	// MaxHeaderBytes limits request line and headers together.
	MaxHeaderBytes Bytes `koanf:"max_header_bytes" help:"limit of a request's headers"`
	// MaxHeaders limits the number of header lines.
	MaxHeaders int `koanf:"max_headers" reload:"yes" help:"limit of header lines in a request"`
	// MaxLine limits the request target and each header line.
	MaxLine Bytes `koanf:"max_line" reload:"yes" help:"limit of the request target and of one header line"`
	// MaxBody limits a request's body. A manifest may set less.
	MaxBody Bytes `koanf:"max_body" help:"limit of a request's body"`
	// SpoolMemory is how much of a request's body is kept in memory; more goes to a
	// temporary file without a name.
	SpoolMemory Bytes `koanf:"spool_memory" help:"part of a request's body that is kept in memory"`
	// SpoolMemoryTotal is what all bodies together may take of memory; above it they
	// go to temporary files from their first byte.
	SpoolMemoryTotal Bytes `koanf:"spool_memory_total" help:"memory for request bodies, all together"`
	// SpoolDiskTotal is what all temporary files together may take; a body above it is
	// answered with 503. They lie in StateDir. One application may have a fourth of
	// this and of SpoolMemoryTotal.
	SpoolDiskTotal Bytes `koanf:"spool_disk_total" help:"temporary files for request bodies, all together"`
	// ResponseBuffer is the largest complete response that is kept until the instance
	// has been given back, above SpoolMemory in a temporary file; a larger one, and one
	// that comes in pieces, is sent while the instance is held.
	ResponseBuffer Bytes `koanf:"response_buffer" reload:"yes" help:"largest response that is sent after its instance is free"`
	// ResponseMemoryTotal is what all kept responses together may take of memory;
	// above it they go to temporary files, within SpoolDiskTotal.
	ResponseMemoryTotal Bytes `koanf:"response_memory_total" help:"memory for kept responses, all together"`
	// MaxConnections limits the open client connections; more wait in the backlog.
	MaxConnections int `koanf:"max_connections" help:"open client connections"`
	// MaxConnectionsPerAddress limits the open connections of one client address (for
	// IPv6 of one /64 network); one more is closed at once. Trusted proxies and Unix
	// sockets have no such limit. 0 is none for anybody.
	MaxConnectionsPerAddress int `koanf:"max_connections_per_address" help:"open connections of one client address, 0 for no limit"`

	// TrustedProxies are the peers whose word about the client counts: networks,
	// addresses, and the word unix for whoever connects through a Unix socket. From
	// everybody else headers about the client are dropped (see ProxyHeader).
	TrustedProxies List `koanf:"trusted_proxies" reload:"yes" help:"networks of the proxies in front, or unix, whose headers about the client count"`
	// ProxyHeader is how trusted proxies tell who the client is: x-forwarded
	// (X-Forwarded-For and X-Forwarded-Proto) or forwarded (RFC 7239). It is one of
	// them, because a proxy that writes one hands on what a client wrote in the other.
	ProxyHeader string `koanf:"proxy_header" reload:"yes" help:"how trusted proxies name the client: x-forwarded or forwarded"`

	// ProxyProtocol says whether trusted proxies begin connections with a PROXY header
	// (version 1 or 2): off, optional or require. The header's client address becomes
	// the connection's. From anybody else such a header is refused; with require,
	// everybody else is. A proxy that does not write the header itself hands on the
	// one that a client wrote: optional is for the time of a change.
	ProxyProtocol string `koanf:"proxy_protocol" help:"PROXY headers of trusted proxies: off, optional or require"`

	// TLSCert are the files of certificates, PEM, each with the chain up to its
	// authority. With several, a client's server name chooses; one that fits none gets
	// the first. A file that changes counts from the next connection on.
	TLSCert List `koanf:"tls_cert" reload:"yes" help:"files of TLS certificates, PEM, with their chains"`
	// TLSKey are the files of their keys, in the same order. Empty means that the
	// files of TLSCert hold them too.
	TLSKey List `koanf:"tls_key" reload:"yes" help:"files of the certificates' keys, in the same order"`
	// ACME gets certificates for the host names in the manifests of the applications
	// (RFC 8555), each when a client first asks for it, and renews them. It needs an
	// https:// address that port 443 of these names leads to, or one without TLS that
	// port 80 does, agrees to the terms of the authority, and keeps keys in
	// StateDir/acme. Names with * are left out. Certificates of TLSCert go before.
	ACME bool `koanf:"acme" help:"get certificates for the host names of the applications (ACME)"`
	// ACMEEmail is how the authority reaches the operator; empty for not at all.
	ACMEEmail string `koanf:"acme_email" help:"address by which the certificate authority reaches the operator"`
	// ACMECA is the directory of the authority.
	ACMECA string `koanf:"acme_ca" help:"URL of the certificate authority's directory"`
	// ACMERoot is the file of a certificate, PEM, by which an authority of your own is
	// known; empty for those that the system knows.
	ACMERoot string `koanf:"acme_root" help:"file of the certificate by which your own authority is known"`
	// TLSMinVersion is the oldest version that clients may speak, 1.2 or 1.3.
	TLSMinVersion string `koanf:"tls_min_version" help:"oldest version of TLS: 1.2 or 1.3"`
	// HTTP2 offers HTTP/2 to clients that speak TLS.
	HTTP2 bool `koanf:"http2" help:"offer HTTP/2 to clients that speak TLS"`
	// H2C takes HTTP/2 without TLS from clients that begin with it (prior knowledge),
	// on the addresses without https://. It is for proxies in front.
	H2C bool `koanf:"h2c" help:"take HTTP/2 without TLS from clients that begin with it"`
	// MaxStreams limits the requests that run at once on one connection of HTTP/2. On
	// all connections together there may be as many as MaxConnections, and of one
	// address as many as MaxConnectionsPerAddress; one more is answered with 503.
	MaxStreams int `koanf:"max_streams" help:"requests at once on one connection of HTTP/2"`

	// Egress is the most that any application gets of the network, whatever the allow
	// of its manifest says, in the same words: "*:*" is every public address. What is
	// private, loopback or otherwise special has to be listed here too. Empty is
	// nobody.
	Egress List `koanf:"egress" help:"whom applications may connect to at most: HOST:PORTS, * for every public address"`
	// EgressConnections limits the connections of all applications together.
	EgressConnections int `koanf:"egress_connections" help:"connections of all applications to others"`
	// EgressPerTenant limits those of one application. A manifest may set less.
	EgressPerTenant int `koanf:"egress_per_tenant" help:"connections of one application to others"`
	// EgressRate is what all of them may carry in bytes a second, both directions
	// together; 0 is no limit. With isolation_level = "process" it holds for each
	// worker, which counts for itself.
	EgressRate Bytes `koanf:"egress_rate" help:"bytes a second of all connections of applications, 0 for no limit"`
	// EgressResolver is the DNS server that is asked for names that applications look
	// up, as ADDRESS:PORT: "10.0.0.53:53". Empty is those of the machine's
	// /etc/resolv.conf. /etc/hosts comes first in both cases.
	EgressResolver string `koanf:"egress_resolver" help:"DNS server for names that applications look up, ADDRESS:PORT; empty for the machine's"`

	// DataQuota is how much a tenant may keep in /data. A manifest may set less, of
	// this and of the next two.
	DataQuota Bytes `koanf:"data_quota" reload:"tenants" help:"size of an application's /data, unless its manifest says less"`
	// DataFiles is how many files a tenant may keep in /data.
	DataFiles int `koanf:"data_files" reload:"tenants" help:"files in an application's /data"`
	// TmpSize is the size of /tmp, which lives in memory for as long as an instance.
	TmpSize Bytes `koanf:"tmp_size" reload:"tenants" help:"size of an instance's /tmp"`

	// Metrics answers /metrics on AdminListen, for Prometheus.
	Metrics bool `koanf:"metrics" help:"answer /metrics on admin_listen, for Prometheus"`
	// MetricsTenants is how many tenants have labels of their own in the metrics. The
	// others share one, so that a scrape stays small on a host with thousands.
	MetricsTenants int `koanf:"metrics_tenants" help:"applications with labels of their own in the metrics"`

	// TraceEndpoint is the URL to which traces are posted, in OpenTelemetry's protocol
	// over HTTP: http://127.0.0.1:4318/v1/traces. Empty traces nothing, and costs
	// nothing.
	TraceEndpoint string `koanf:"trace_endpoint" help:"URL of an OpenTelemetry collector (OTLP over HTTP), empty for no traces"`
	// TraceOneIn is of how many requests one is traced, at random; 0 is none. A trusted
	// proxy that has decided about a request decides here too.
	TraceOneIn int `koanf:"trace_one_in" help:"of so many requests one is traced"`

	// AccessLog is combined, json or off.
	AccessLog string `koanf:"access_log" reload:"yes" help:"access log: combined, json or off"`
	// AccessLogFile is where it goes; - is standard output.
	AccessLogFile string `koanf:"access_log_file" reload:"yes" help:"file of the access log, - for standard output"`
	// LogFormat is text or json.
	LogFormat string `koanf:"log_format" help:"format of the log: text or json"`
	// LogLevel is debug, info, warn or error.
	LogLevel string `koanf:"log_level" reload:"yes" help:"lowest level of the log: debug, info, warn or error"`
	// TenantLogRate limits what one tenant may write to the log, in bytes a second;
	// what is above is dropped and counted.
	TenantLogRate Bytes `koanf:"tenant_log_rate" help:"what one application may log, bytes a second"`
	// TenantLogSize is how large the file of one application's log may become; what it
	// says is in StateDir/logs/NAME.log as well as in the log of the server. A full one
	// becomes NAME.log.1, that one NAME.log.2, and so on. 0 keeps no such files.
	TenantLogSize Bytes `koanf:"tenant_log_size" help:"size of the file of one application's log, 0 for none"`
	// TenantLogKeep is how many full ones are kept for each application.
	TenantLogKeep int `koanf:"tenant_log_keep" help:"older files of one application's log"`
	// Compress compresses the responses of applications whose manifests do not say
	// otherwise, for clients that take zstd or gzip; see compress there for what it may
	// give away.
	Compress bool `koanf:"compress" reload:"tenants" help:"compress responses, unless an application's manifest says otherwise"`
	// Compressors is how many responses may be compressed at once; others go out as
	// they are. Each takes up to a MiB.
	Compressors int `koanf:"compressors" reload:"yes" help:"responses that may be compressed at once"`
	// ServerHeader is the Server header of responses; empty sends none.
	ServerHeader string `koanf:"server_header" reload:"yes" help:"the Server header, empty for none"`

	// Warnings are remarks of Load for the log: environment variables that look like
	// settings and are none.
	Warnings []string `koanf:"-"`
}

// Default is the configuration when nothing is set. environ (NAME=value, as
// os.Environ gives it) and uid decide where state and cache live.
func Default(environ []string, uid int) Config {
	state, cache := folders(environ, uid)
	c := Config{
		Root: ".", Listen: "127.0.0.1:8000", AdminListen: "127.0.0.1:8001",
		StateDir: state, CacheDir: cache,
		KeepReleases: 5, MaxBundle: 256 * MiB, MaxBundleContent: 1 * GiB, MaxBundleFiles: 50_000,
		Watch: true, WatchSettle: 200 * time.Millisecond,

		Slots: runtime.NumCPU(), Builders: max(1, runtime.NumCPU()/2),
		Spare: true, IsolationLevel: "inprocess", MemoryPerInstance: 512 * MiB, MaxInstances: 2 * runtime.NumCPU(),
		MaxWeight: 1, OpenFiles: 256,
		QueueLength: 128, QueueTimeout: 10 * time.Second,

		HeaderTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second,
		BodyTimeout: 30 * time.Second, BodyRate: 1 * KiB, WriteTimeout: 30 * time.Second,
		RequestTimeout: 30 * time.Second, Grace: 2 * time.Second, StartTimeout: 60 * time.Second,
		PrepareTimeout: 10 * time.Minute, DrainTimeout: 30 * time.Second,

		MaxHeaderBytes: 32 * KiB, MaxHeaders: 100, MaxLine: 8 * KiB,
		MaxBody: 64 * MiB, SpoolMemory: 1 * MiB,
		SpoolDiskTotal: 8 * GiB, ResponseBuffer: 16 * MiB,
		ProxyHeader: "x-forwarded", ProxyProtocol: "off",
		ACMECA:        "https://acme-v02.api.letsencrypt.org/directory",
		TLSMinVersion: "1.2", HTTP2: true, MaxStreams: 100,

		Egress: "*:*", EgressConnections: 4096, EgressPerTenant: 256,

		DataQuota: 1 * GiB, DataFiles: 100_000, TmpSize: 64 * MiB,

		Console: true, Metrics: true, MetricsTenants: 100, TraceOneIn: 1,
		AccessLog: "combined", AccessLogFile: "-", LogFormat: "text", LogLevel: "info",
		TenantLogRate: 1 * MiB, TenantLogSize: 8 * MiB, TenantLogKeep: 3,
		Compressors: 4 * runtime.NumCPU(), ServerHeader: "wasgi",
	}
	c.MemoryBudget = machineMemory() / 5 * 4
	c.scale()
	return c
}
