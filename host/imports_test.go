package host

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/wasgi/wasgi/"

// importRule says what the non-test code of a package may import besides the
// standard library. A name that ends in / stands for everything below it.
type importRule struct {
	pkg     string
	allowed []string
	why     string
}

func importRules() []importRule {
	return []importRule{
		{"abi", nil, "the contract is read by both sides and by tests: it depends on nobody"},
		{"wasi", []string{module + "abi", "github.com/tetratelabs/wazero/", "golang.org/x/sys/"},
			"what a guest may touch knows nothing of tenants or HTTP"},
		{"pywasm", nil, "the artifact is data: handing it out needs nothing"},
		{"pywasm/branchhint", nil, "hints are bytes of a module"},
		{"pywasm/meter", nil, "the metering pass is part of the build and of its proof"},
		{"tenants/destination", nil, "a grammar is text"},
		{"host/egress/postgres", []string{"github.com/jackc/pgx/v5/pgconn", "github.com/jackc/pgx/v5/pgproto3", "golang.org/x/sync/semaphore", "golang.org/x/sys/"},
			"a protocol knows no policy and no guest"},
		{"host/egress", []string{module + "host/egress/postgres", module + "wasi", module + "tenants/destination", "golang.org/x/sys/"},
			"who may be reached is decided apart from who asks"},
		{"tenants/byfolder", nil, "folders are folders"},
		{"tenants", []string{module + "tenants/nearest", module + "tenants/destination", module + "tenants/byfolder", "github.com/knadh/koanf/", "github.com/pelletier/go-toml/v2/"},
			"who is served is plain data, usable without a host"},
		{"host/pool", nil, "scheduling is tested with fakes and knows no guest"},
		{"host/sandbox", []string{module + "abi", module + "wasi", module + "pywasm/", "github.com/cespare/xxhash/v2", "github.com/tetratelabs/wazero/", "golang.org/x/sys/"},
			"the only caller of guest code knows no HTTP, no tenant and no pool"},
		{"host/edge", []string{module + "abi"}, "HTTP against the contract, nothing else"},
		{"host/patching", nil, "what is built with is patched before anything is built"},
		{"host/giveway", []string{"golang.org/x/sys/"}, "goroutines know nothing of what others do"},
		{"host/spool", nil, "bodies are bytes"},
		{"host/accesslog", nil, "a line is a line"},
		{"host/metrics", []string{"github.com/prometheus/client_golang/prometheus/", "github.com/prometheus/client_model/go"}, "it counts what it is told, and asks nobody but its source"},
		{"host/trace", []string{"go.opentelemetry.io/otel/"}, "it hears of a request what its methods are told, and no more"},
		{"host/static", nil, "files are files"},
		{"host/compress", []string{"github.com/klauspost/compress/"}, "a response is a response"},
		{"host/upgrade", []string{"golang.org/x/sys/"}, "a handover is descriptors and a word"},
		{"host/acme", []string{"github.com/caddyserver/certmagic", "github.com/mholt/acmez/v3", "go.uber.org/zap/"}, "names are the host's to allow"},
		{"host/admin", nil, "probes must not depend on what they probe"},
		{"host/listen", []string{"github.com/coreos/go-systemd/v22/activation", "github.com/pires/go-proxyproto", "golang.org/x/sys/"},
			"sockets know nothing of what is said"},
		{"host/certs", nil, "certificates are files"},
		{"host/framing", nil, "where a request ends is decided by its bytes alone"},
		{"host/store", nil, "what the host keeps is behind an interface that any engine can have"},
		{"host/store/bolt", []string{module + "host/store", "go.etcd.io/bbolt/"}, "a backend knows its engine and the interface"},
		{"host/bundle", []string{module + "tenants", module + "tenants/byfolder", "github.com/klauspost/compress/gzip"}, "a decoder of hostile bytes depends on as little as it can"},
		{"host/archive", nil, "a backup is files"},
		{"host/admin/client", []string{module + "host/admin/api"}, "a client knows the API's shapes and nothing of the host"},
		{"host/registry", []string{module + "host/store"}, "what is kept of tenants and tokens is plain data"},
		{"host/admin/api", []string{"github.com/danielgtaylor/huma/v2/"}, "the API knows the host as an interface"},
		{"host/admin/console", []string{module + "host/admin/api", module + "host/admin/console/history"}, "the console can do what the API can, and knows the host as an interface"},
		{"host/admin/console/history", nil, "samples are numbers"},
		{"host/watch", []string{"github.com/fsnotify/fsnotify"}, "it reports names; others read the folders"},
		{"host/tenantlog", []string{module + "abi", module + "wasi"}, "it takes what a guest says to a log"},
		{"host/policy", []string{module + "abi", module + "wasi", module + "tenants"}, "the one translation of a tenant into a guest's world"},
		{"host/worker", []string{module + "host/egress", module + "abi", module + "wasi", module + "tenants", module + "host/sandbox", module + "host/policy",
			module + "host/tenantlog", module + "host/worker/", "golang.org/x/sys/"},
			"a worker runs guests and knows no HTTP and no pool"},
		{"host/worker/wire", []string{module + "abi"}, "a decoder of hostile bytes depends on as little as it can"},
		{"host/worker/jail", []string{"golang.org/x/sys/"}, "the jail knows the kernel and nothing of what it holds"},
		{"host/bytecode", []string{module + "abi", module + "wasi", module + "host/sandbox", module + "host/policy", module + "tenants/byfolder"},
			"byte code is made of sources, whoever brings them"},
		{"host/config", []string{"github.com/knadh/koanf/", "github.com/pelletier/go-toml/v2/", "github.com/spf13/pflag",
			"github.com/KimMachineGun/automemlimit/", module + "tenants/nearest", module + "tenants/destination"},
			"settings are data; what they mean is decided where they are used"},
	}
}

func TestImports(t *testing.T) {
	for _, rule := range importRules() {
		for pkg, imports := range directImports(t, module+rule.pkg) {
			for _, path := range imports {
				if !allowed(path, rule.allowed) {
					t.Errorf("%s imports %s: %s", pkg, path, rule.why)
				}
			}
		}
	}
}

// Nobody below the host imports the host or the command line.
func TestNobodyImportsUpwards(t *testing.T) {
	for pkg, imports := range directImports(t, module+"...") {
		for _, path := range imports {
			switch {
			case strings.HasPrefix(path, module+"cmd/"):
				t.Errorf("%s imports %s: the command line is the top", pkg, path)
			case path == strings.TrimSuffix(module, "/")+"/host" && strings.HasPrefix(pkg, module+"host/") && !strings.HasPrefix(pkg, module+"host/script"):
				t.Errorf("%s imports %s: a part cannot need the whole", pkg, path)
			case path == "C":
				t.Errorf("%s uses cgo: the binary is static", pkg)
			}
		}
	}
}

func allowed(path string, list []string) bool {
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") {
		return path != "C"
	}
	return slices.ContainsFunc(list, func(a string) bool {
		return path == strings.TrimSuffix(a, "/") || strings.HasSuffix(a, "/") && strings.HasPrefix(path, a)
	})
}

func directImports(t *testing.T, pattern string) map[string][]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", pattern).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := map[string][]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		found[p.ImportPath] = p.Imports
	}
	return found
}
