package tenants

import (
	"maps"
	"slices"
	"time"
)

// ManifestFile is the name of the manifest in a tenant's folder.
const ManifestFile = "wasgi.toml"

// Isolation says how much of one request the next one can see.
type Isolation string

// Values of Isolation.
const (
	Reuse Isolation = "reuse"
	Fresh Isolation = "fresh"
)

// IsolationLevel says what stands between a guest and the host besides
// WebAssembly.
type IsolationLevel string

// Values of IsolationLevel.
const (
	InProcess     IsolationLevel = "inprocess"
	WorkerProcess IsolationLevel = "process"
)

// Manifest is wasgi.toml, or the table [tool.wasgi] of pyproject.toml with the
// same keys. Every key is optional. When both exist, a key of wasgi.toml wins.
// A size is text with a unit ("64MiB", "64MB"), a time span too ("30s",
// "1m30s"). An unknown key is an error.
// What the server's own settings allow is the most that an application gets
// of limits, weight, /data and /tmp; the server's log names what was lowered.
type Manifest struct {
	// folder is where the application lies, for a manifest that lies beside the
	// applications' folders instead of in one: shop.toml with folder = "/srv/shop" is
	// the tenant shop. Its keys stand over those of the application's own wasgi.toml.
	// A path that is not absolute begins at the manifest. When the application's files
	// change, touch the manifest to load them.
	Folder string `toml:"folder"`

	// entry is the WSGI callable, as "module:callable", or "module:factory()"
	// to call a factory once when the application is loaded. Without it the
	// entry is discovered: see `wasgi doctor`.
	Entry string `toml:"entry"`

	// python_path lists folders of the application, relative to it, that go
	// in front of sys.path: ["src"]. The application's own folder is always
	// on it, after these.
	PythonPath []string `toml:"python_path"`

	// hosts lists the host names that the application answers to:
	// ["shop.example", "*.shop.example"]. "*." stands for one or more labels.
	// Ports are not written. Without it every host name is answered.
	Hosts []string `toml:"hosts"`

	// paths lists the path prefixes that the application answers to: ["/shop"].
	// A prefix becomes SCRIPT_NAME, the rest PATH_INFO. "/shop" answers /shop
	// and /shop/cart, never /shopping. Without it: "/" when hosts is given,
	// else "/" and the tenant's name.
	Paths []string `toml:"paths"`

	// isolation is "reuse" (an interpreter serves one request after another,
	// as under any other server) or "fresh" (every request starts from the
	// state after import: nothing that a request did is seen by the next).
	Isolation Isolation `toml:"isolation"`

	// isolation_level is "inprocess" (guests run inside the server, behind
	// WebAssembly alone) or "process" (they run in a process of their own as
	// well, which the kernel keeps from everything but the application's
	// folders). Without it the server's setting holds, which is also the least
	// that an application gets.
	IsolationLevel IsolationLevel `toml:"isolation_level"`

	// env is the application's environment: os.environ. Nothing of the
	// server's own environment is passed on.
	Env map[string]string `toml:"env"`

	// environ has variables that each request's WSGI environ carries besides,
	// such as the name of the site: what Apache calls SetEnv (PEP 3333, "Application
	// Configuration"). They cannot stand for a request's own variables, the client's
	// headers (HTTP_) or the server's (wsgi., wasgi.). Values are shown as PEP 3333
	// wants text: UTF-8 bytes, each as a character.
	Environ map[string]string `toml:"environ"`

	// static shows folders of the application without asking it: "/static" =
	// "assets" answers /static/site.css with the file assets/site.css, and a path that
	// ends with a slash with the index.html there. Paths are those of the application,
	// below its prefix. GET and HEAD are answered, with ranges, entity tags and 304;
	// site.css.br, site.css.zst and site.css.gz beside the file are sent instead to
	// clients that take them, unless they are more than 10 s older. Links out of the folder are not
	// followed, and sources of Python and their byte code are not shown. What is not there is the application's to answer.
	Static map[string]string `toml:"static"`

	// static_dotfiles shows files and folders whose names begin with a dot, too.
	StaticDotfiles bool `toml:"static_dotfiles"`

	// static_max_age is how long browsers may use a static file without asking again
	// (Cache-Control: max-age); 0s says nothing of it. At most 8760h.
	StaticMaxAge Duration `toml:"static_max_age"`

	// redirects sends clients elsewhere without asking the application: "/old" = "/new"
	// for one path, "/blog/*" = "301 https://blog.example/*" for all below one, with
	// the status (301, 302, 303, 307, 308) before the target if it is not 302. Paths
	// are those of the application, below its prefix; the query goes along unless the
	// target has one. Whole paths count before those with a star, longer ones before
	// shorter ones, and redirects before static files.
	Redirects map[string]string `toml:"redirects"`

	// compress makes responses smaller for clients that take zstd or gzip: text, JSON
	// and the like, from compress_above on, unless they are encoded already or say
	// no-transform. A page that shows both a secret (a CSRF token that stays the same,
	// say) and what the request said lets whoever watches the length of encrypted
	// answers guess the secret (BREACH, CVE-2013-3587): leave it off for those, or let
	// them say Cache-Control: no-transform. Django masks its tokens.
	Compress bool `toml:"compress"`

	// compress_above is the length from which on a response is compressed. At most
	// 1GiB.
	CompressAbove Size `toml:"compress_above"`

	// limits bound what one instance and one request may use.
	Limits Limits `toml:"limits"`

	// instances bound how many interpreters run and how requests wait.
	Instances Instances `toml:"instances"`

	// warmup names requests that are made before the snapshot is taken.
	Warmup Warmup `toml:"warmup"`

	// health names a request that a new release must answer before it serves.
	Health Health `toml:"health"`

	// cron has jobs and when they are due: a path of the application that is requested
	// with GET, or a command line of Python's, run with the application's packages,
	// environment and /data. The time is written as in crontab(5), in UTC:
	// "*/10 * * * *", or @hourly, @daily, @weekly, @monthly, @yearly. A job that still
	// runs is not begun again. See `wasgi cron`.
	Cron map[string]string `toml:"cron"`

	// data bounds what the application may write.
	Data Data `toml:"data"`

	// network says whom the application may connect to. Without it nobody.
	Network Network `toml:"network"`

	// Files are those that the manifest was read from, relative to the
	// tenant's folder; none when there is no manifest.
	Files []string `toml:"-"`
}

// Limits is the table [limits].
type Limits struct {
	// memory of one instance, as Python sees it: beyond it is MemoryError.
	// From 32MiB to 4GiB.
	Memory Size `toml:"memory"`

	// request_timeout is the wall-clock time of a request in an instance, until
	// the end of the response. When it is over, wasgi.TimeOver is raised in the
	// application, like KeyboardInterrupt, so that finally clauses and close()
	// run; what has not ended after grace is ended by force, in Python and in C
	// code alike. The client gets 504. From 10ms to 24h.
	RequestTimeout Duration `toml:"request_timeout"`

	// cpu_time of one request, which ends as with request_timeout; 0s is no
	// limit but that. Waiting does not count. At most 24h.
	CPUTime Duration `toml:"cpu_time"`

	// grace is what a request has after its time is over; 0s ends it by force at
	// once. At most 1m.
	Grace Duration `toml:"grace"`

	// start_timeout bounds importing the application. From 100ms to 1h.
	StartTimeout Duration `toml:"start_timeout"`

	// body_size of a request; more is answered with 413. At most 1TiB.
	BodySize Size `toml:"body_size"`

	// open_files at once in one instance. From 8 to 65536.
	OpenFiles int `toml:"open_files"`
}

// Instances is the table [instances].
type Instances struct {
	// min instances are kept ready, even idle. From 0 to max.
	Min int `toml:"min"`

	// max instances exist at once. From 1 to 1024.
	Max int `toml:"max"`

	// max_requests that an instance serves before it is replaced, less up to a
	// tenth at random; 0 is no limit.
	MaxRequests int `toml:"max_requests"`

	// max_age after which an instance is replaced; 0s is no limit.
	MaxAge Duration `toml:"max_age"`

	// max_memory of an instance, as limits.memory counts it, above which it is replaced
	// after its request; 0 is no limit. Python keeps what it had once: this gets
	// rid of what one large request took. At most 4GiB.
	MaxMemory Size `toml:"max_memory"`

	// idle time after which an instance above min is closed; 0s is never.
	Idle Duration `toml:"idle"`

	// queue is how many requests may wait for an instance; one more is
	// answered with 503. From 0 to 100000.
	Queue int `toml:"queue"`

	// queue_timeout after which a waiting request is answered with 503; 0s
	// means as long as the client waits.
	QueueTimeout Duration `toml:"queue_timeout"`

	// weight of the application where processors are scarce: twice the weight,
	// twice the processor time. From 1 to 1000.
	Weight int `toml:"weight"`
}

// Warmup is the table [warmup].
type Warmup struct {
	// paths are requested with GET, in order, after the import and before the
	// snapshot, so that what the application builds lazily is in every
	// instance from the start: ["/"]. They are relative to the application's
	// prefix. A status of 500 or more is an error. With isolation = "fresh"
	// nearly every application wants one: what it builds at its first request
	// it builds at each without it, which takes Flask eight times as long.
	Paths []string `toml:"paths"`

	// rounds is how often all of them are requested. The interpreter makes code
	// fast when it runs for the second time; with 1, for paths that change
	// something, each instance does so on its own, and with isolation = "fresh"
	// each request. A round after the first does not begin when those before took
	// more than a second, or a quarter of limits.start_timeout, and its answers
	// count for nothing. From 1 to 100.
	Rounds int `toml:"rounds"`

	// timeout of each of these requests. From 10ms to 1h. All of them together
	// have limits.start_timeout.
	Timeout Duration `toml:"timeout"`
}

// Hint says what would make an application with this manifest much faster, "" for
// nothing. In isolation fresh without a warm-up Flask's hello makes 770 requests in a
// second, with one 6,500. No path is requested that nobody has named: what it does
// before the snapshot, a connection that fails or a file that stays open, would be in
// all instances.
func (m *Manifest) Hint() string {
	if m.Isolation != Fresh || len(m.Warmup.Paths) > 0 {
		return ""
	}
	return `with isolation = "fresh" each request builds again what the application builds at its first: under [warmup], name a path that makes it do so before the snapshot, such as paths = ["/"]`
}

// Health is the table [health].
type Health struct {
	// path is requested with GET from an instance of a new release before clients
	// are: "/healthz". It is relative to the application's prefix. A release that
	// does not answer with a status from 200 to 399 is not served, and the older one
	// goes on. Without it importing and warming up are all that is asked for.
	Path string `toml:"path"`

	// timeout of this request. From 10ms to 1h.
	Timeout Duration `toml:"timeout"`
}

// Data is the table [data].
type Data struct {
	// persistent gives the application a folder /data that outlives instances
	// and releases.
	Persistent bool `toml:"persistent"`

	// quota in bytes of /data, for all instances together. At most 1TiB.
	Quota Size `toml:"quota"`

	// files is how many files and folders /data may hold. From 0 to 10000000.
	Files int `toml:"files"`

	// tmp is the size of /tmp, in memory, of each instance. At most 4GiB.
	Tmp Size `toml:"tmp"`

	// writable_app lets the application write into its own folder, which then
	// counts towards quota and files. Needed by applications that keep their
	// database beside their code.
	WritableApp bool `toml:"writable_app"`
}

// Network is the table [network]. Connections go out only: nothing can listen.
type Network struct {
	// allow lists whom the application may connect to: a name, an address or a
	// network, and ports. ["db.example:5432", "*.example.com:443",
	// "10.1.0.0/16:6379", "[fd00::7]:5432", "mail.example:25-587", "*:443"]. A name
	// stands for its public addresses, "*" for every name and every public address.
	// Private, loopback and other special addresses have to be listed themselves,
	// as an address or a network within theirs, and metadata services as the one
	// address; a private database that is reached by name needs both entries. The
	// server's setting "egress" is the most that an application gets.
	Allow []string `toml:"allow"`

	// connections that all instances may have open at once. From 0 to 65536.
	Connections int `toml:"connections"`

	// bytes that one connection may carry, both directions together; 0 is no
	// limit.
	Bytes Size `toml:"bytes"`

	// rate of all connections together, both directions, in bytes a second; 0 is
	// no limit.
	Rate Size `toml:"rate"`

	// pool has the host keep connections to databases, logged in. The application
	// changes nothing: its driver connects to the same address as ever, and the host
	// answers in the server's place with a connection that is ready and has nothing
	// left of whoever had it before. That is for isolation fresh above all, where
	// every request would log in anew.
	Pool Pool `toml:"pool"`
}

// Pool is the table [network.pool].
type Pool struct {
	// postgresql lists servers, each a name or an address and a port, as the
	// application connects to them: ["db.example:5432"]. network.allow has to admit
	// them. Who connects proves the password, as ever; for a user of whom the server
	// wants none, the driver has to be given any. A connection goes back when the
	// application closes it or, in isolation fresh, the request ends, after ROLLBACK
	// and DISCARD ALL; one in the middle of anything is closed instead. Between the
	// application and the host there is no TLS: a driver that insists on it
	// (sslmode=require, ssl_context) has to be told not to.
	PostgreSQL []string `toml:"postgresql"`

	// size is how many connections there may be to each server. From 1 to 1000. In
	// isolation reuse an interpreter that keeps its connection keeps one of them.
	Size int `toml:"size"`

	// wait for one of them to come free. After that, or when the request ends, the
	// driver gets error 53300. From 0s to 1h.
	Wait Duration `toml:"wait"`

	// idle is how long a connection is kept that nobody uses. From 1s to 24h.
	Idle Duration `toml:"idle"`

	// lifetime of a connection, after which it is not used again. A password that was
	// changed at the server is good for as long in the pool. From 1s to 24h.
	Lifetime Duration `toml:"lifetime"`

	// tls between the host and the servers: "off", or "verify", which wants a
	// certificate for the server's name by an authority that counts.
	TLS string `toml:"tls"`

	// ca are certificates in PEM of the authorities that count for tls. Without them
	// those of the host's machine do.
	CA string `toml:"ca"`
}

// The values of network.pool.tls.
const (
	TLSOff    = "off"
	TLSVerify = "verify"
)

// Defaults is what holds for every key that neither the manifest nor the host's
// configuration sets.
func Defaults() Manifest {
	return Manifest{
		Isolation:     Reuse,
		CompressAbove: 1 * KiB,
		Limits: Limits{
			Memory:         256 * MiB,
			RequestTimeout: Duration{30 * time.Second},
			Grace:          Duration{2 * time.Second},
			StartTimeout:   Duration{60 * time.Second},
			BodySize:       64 * MiB,
			OpenFiles:      256,
		},
		Instances: Instances{
			Max:          8,
			Idle:         Duration{5 * time.Minute},
			Queue:        100,
			QueueTimeout: Duration{10 * time.Second},
			Weight:       1,
		},
		Warmup: Warmup{Rounds: 2, Timeout: Duration{10 * time.Second}},
		Health: Health{Timeout: Duration{10 * time.Second}},
		Data: Data{
			Persistent: true,
			Quota:      1 * GiB,
			Files:      100_000,
			Tmp:        64 * MiB,
		},
		Network: Network{Connections: 64, Pool: Pool{
			Size: 10, Wait: Duration{5 * time.Second}, Idle: Duration{time.Minute}, Lifetime: Duration{30 * time.Minute}, TLS: TLSOff,
		}},
	}
}

// clone copies what a decoder would otherwise write through.
func (m Manifest) clone() Manifest {
	m.Env = maps.Clone(m.Env)
	m.Environ = maps.Clone(m.Environ)
	m.Cron = maps.Clone(m.Cron)
	m.Static = maps.Clone(m.Static)
	m.Redirects = maps.Clone(m.Redirects)
	m.PythonPath = slices.Clone(m.PythonPath)
	m.Hosts = slices.Clone(m.Hosts)
	m.Paths = slices.Clone(m.Paths)
	m.Warmup.Paths = slices.Clone(m.Warmup.Paths)
	m.Network.Allow = slices.Clone(m.Network.Allow)
	m.Network.Pool.PostgreSQL = slices.Clone(m.Network.Pool.PostgreSQL)
	m.Files = slices.Clone(m.Files)
	return m
}
