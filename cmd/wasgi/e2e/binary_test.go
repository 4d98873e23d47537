package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/pywasm"
)

// world is what the tests of this package share: one binary and one cache of
// compiled code, so that the guest is compiled once. Each server and program
// has a state folder of its own.
type world struct {
	binary string
	cache  string
	repo   string
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if _, err := pywasm.Load(); errors.Is(err, pywasm.ErrMissing) {
		fmt.Println("e2e: skipped, the guest is not built: run make guest")
		return 0
	}
	dir, err := os.MkdirTemp("", "wasgi-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	// The tests find the folder through the environment: a package variable
	// would be shared state that nobody owns.
	err = errors.Join(os.Setenv(dirVariable, dir), build(dir), prime(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return m.Run()
}

const dirVariable = "WASGI_E2E_DIR"

// lookAtSources opens every folder that the binary is made of. go test keeps the
// result of a test until something changes that the test has opened or is
// linked with; it knows nothing of a binary that TestMain builds.
func lookAtSources(repo string) error {
	return filepath.WalkDir(repo, func(_ string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == "bin" || strings.HasPrefix(entry.Name(), ".")) {
			return filepath.SkipDir
		}
		return err
	})
}

func build(dir string) error {
	c := exec.Command("go", "build", "-o", filepath.Join(dir, "wasgi"), "github.com/wasgi/wasgi/cmd/wasgi")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// prime has the guest compiled into the cache, so that tests that run beside
// each other do not all compile it. It is also the test of a cold start.
func prime(dir string) error {
	c := exec.Command(filepath.Join(dir, "wasgi"), "python", "-c", "print('primed')")
	c.Dir = dir
	c.Env = environment(filepath.Join(dir, "cache"), filepath.Join(dir, "state"))
	if out, err := c.Output(); err != nil || string(out) != "primed\n" { // standard error says that it compiles
		return fmt.Errorf("wasgi python: %w\n%s", err, out)
	}
	return nil
}

func newWorld(t *testing.T) world {
	t.Helper()
	dir := os.Getenv(dirVariable)
	repo, err := filepath.Abs("../../..")
	if err == nil {
		err = lookAtSources(repo)
	}
	if err != nil {
		t.Fatal(err)
	}
	return world{binary: filepath.Join(dir, "wasgi"), cache: filepath.Join(dir, "cache"), repo: repo}
}

// example is the folder of one example application.
func (w world) example(name string) string {
	return filepath.Join(w.repo, "tenants", "examples", name)
}

// environment is this machine's, because installers of Python packages need
// parts of it, with folders of the test's own and no other setting of wasgi.
func environment(cache, state string) []string {
	env := []string{"WASGI_CACHE_DIR=" + cache, "WASGI_STATE_DIR=" + state}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "WASGI_") {
			env = append(env, e)
		}
	}
	return env
}
