package worker

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/gob"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/egress"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/worker/jail"
	"github.com/wasgi/wasgi/host/worker/wire"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// Guest is the interpreter that a worker runs: the one inside its own binary.
type Guest struct {
	Module []byte      // the WebAssembly module
	RootFS *zip.Reader // what the guest sees at /
}

// Job is what a worker builds its image from. It crosses the socket,
// the tenant's environment included; nothing of it is in arguments or in the
// environment of the process.
type Job struct {
	// Tenant is the application; Site is its Release.Site.
	Tenant tenants.Tenant
	Site   string
	// Data is the host's folder for /data, "" for none.
	Data string
	// Snapshot is the file that the image is kept in. The worker may write to
	// the whole folder, so nothing else is in it.
	Snapshot string
	// Unstored keeps the image in memory: it holds secrets.
	Unstored bool
	// CacheDir holds the compiled guest. The host has compiled it before.
	CacheDir string
	// Key covers all that the image is made from but what the worker adds
	// itself.
	Key sandbox.Key
	// Warmup are the environ messages of the warm-up requests.
	Warmup [][]byte
	// The limits of sandbox.Spec.
	MemoryLimit                                  uint64
	CPULimit, StartTimeout, WarmupTimeout, Grace time.Duration
	// MemoryBudget is the limit of sandbox.Spec's Budget, in bytes; 0 is none.
	MemoryBudget uint64
	// EgressRate is the most that its connections carry, in bytes a second, whatever
	// the manifest says; 0 is no limit.
	EgressRate int64
	// Running is how many guests may run at once.
	Running int
	// Program is the command line of python when the worker is to run a program
	// once instead of building an image; see Run.
	Program []string
}

// app is the job in the words of package policy.
func (j *Job) app(root wasi.FS, stdout, stderr io.Writer) policy.App {
	return policy.App{
		Tenant: j.Tenant, Release: tenants.Release{Site: j.Site}, Root: root, Data: j.Data,
		Quotas: policy.QuotasFor(j.Tenant, nil), Stdout: stdout, Stderr: stderr,
	}
}

// key adds to the key what only the worker knows: the environment and the
// mounts that this binary makes of the tenant.
func (j *Job) key(p wasi.Policy) sandbox.Key {
	var mounts []string
	for _, m := range p.Mounts {
		mounts = append(mounts, m.Guest)
	}
	return sandbox.NewKey(j.Key[:], []byte(strings.Join(p.Env, "\x00")), []byte(strings.Join(mounts, "\x00")))
}

// meters count what the connections of the worker carry.
func (j *Job) meters() *egress.Meters {
	n := j.Tenant.Manifest.Network
	return egress.NewMeters(egress.Policy{Bytes: n.Bytes.Bytes(), Rate: n.Rate.Bytes()}).Within(j.EgressRate)
}

func (j *Job) warmup() []sandbox.Request {
	var out []sandbox.Request
	for _, environ := range j.Warmup {
		out = append(out, sandbox.Request{Environ: environ})
	}
	return out
}

// fresh says whether every request starts from the snapshot.
func (j *Job) fresh() bool { return j.Tenant.Manifest.Isolation == tenants.Fresh }

// idleTime is how long a worker is kept that nobody uses; a manifest's zero is
// for ever.
func (j *Job) idleTime() time.Duration {
	return cmp.Or(j.Tenant.Manifest.Instances.Idle.Duration, math.MaxInt64)
}

// Room in a worker for what is not a guest's: Go's heap, the compiled code, the
// library's archive.
const (
	ownMemory = 1 << 30
	ownFiles  = 256
)

// jail is what the worker keeps.
func (j *Job) jail() jail.Spec {
	m := j.Tenant.Manifest
	count := uint64(max(m.Instances.Max, 1)) + 2 // one that boots, one on its way out
	limit := max(j.MemoryLimit, sandbox.DefaultMemoryLimit)
	s := jail.Spec{
		ReadOnly:  []string{j.Tenant.Dir},
		OpenFiles: ownFiles + count*uint64(max(m.Limits.OpenFiles, wasi.DefaultMaxOpenFiles)+4),
		FileSize:  max(uint64(m.Data.Quota), limit+64<<20),
		Data:      ownMemory + count*(limit+uint64(m.Data.Tmp)),
	}
	if j.Program == nil {
		s.ReadWrite = append(s.ReadWrite, j.snapshotFolder())
	}
	if m.Data.WritableApp {
		s.ReadOnly, s.ReadWrite = nil, append(s.ReadWrite, j.Tenant.Dir)
	}
	if j.Site != "" {
		s.ReadOnly = append(s.ReadOnly, j.Site)
	}
	if m.Data.Persistent && j.Data != "" {
		s.ReadWrite = append(s.ReadWrite, j.Data)
	}
	return s
}

// encode lays the job out with encoding/gob, which keeps every byte of a path.
// It fails above the size that a worker takes.
func (j *Job) encode() ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(j); err != nil {
		return nil, fmt.Errorf("worker: describing the application: %w", err)
	}
	if b.Len() > wire.MaxJob {
		return nil, fmt.Errorf("worker: the settings of the application take %d bytes, above %d: %w", b.Len(), wire.MaxJob, abi.E2BIG)
	}
	return b.Bytes(), nil
}

func decodeJob(b []byte) (*Job, error) {
	j := new(Job)
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(j); err != nil {
		return nil, fmt.Errorf("worker: reading the job: %w", err)
	}
	return j, nil
}

func (j *Job) snapshotFolder() string { return filepath.Dir(j.Snapshot) }
