package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/bundle"
	"github.com/wasgi/wasgi/host/sandbox"
)

func (r *running) backend() backend { return backend{r.host, r.host.deployer} }

// upload makes a release that serves a version.
func (r *running) upload(tenant, version string) string {
	r.t.Helper()
	dir := r.t.TempDir()
	text := "def application(environ, start_response): pass  # version:" + version + "\n"
	if err := os.WriteFile(filepath.Join(dir, "wsgi.py"), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
	var b bytes.Buffer
	if err := bundle.Pack(&b, dir); err != nil {
		r.t.Fatal(err)
	}
	sum := sha256.Sum256(b.Bytes())
	release, err := r.backend().Upload(r.t.Context(), tenant, &b, hex.EncodeToString(sum[:]), "test")
	if err != nil {
		r.t.Fatal(err)
	}
	return release.Digest
}

// deployed has a version serve.
func (r *running) deployed(tenant, version string) (api.Tenant, error) {
	r.t.Helper()
	return r.backend().Deploy(r.t.Context(), tenant, r.upload(tenant, version), 0)
}

// problem compares the status that an error has for the API's clients.
func (r *running) problem(what string, err error, status int) {
	r.t.Helper()
	var p *api.Problem
	if !errors.As(err, &p) || p.Status != status {
		r.t.Errorf("%s: %v, want status %d", what, err, status)
	}
}

func TestDeployAndRollback(t *testing.T) {
	r := start(t, setup{app: sayVersion})
	r.ready("app")
	first, err := r.deployed("shop", "1")
	if err != nil {
		t.Fatal(err)
	}
	r.want("/shop", 200, "1")
	second, err := r.deployed("shop", "2")
	if err != nil || second.Revision <= first.Revision || len(second.Releases) != 2 {
		t.Errorf("%+v, %v", second, err)
	}
	r.want("/shop", 200, "2")
	b := r.backend()
	_, err = b.Rollback(t.Context(), "shop", "", first.Revision)
	r.problem("an old revision", err, 412)
	r.want("/shop", 200, "2")
	back, err := b.Rollback(t.Context(), "shop", "", second.Revision)
	if err != nil || back.Current != first.Current {
		t.Errorf("%+v, %v", back, err)
	}
	r.want("/shop", 200, "1")
	for what, c := range map[string]struct {
		err    error
		status int
	}{
		"a release of nobody":   {errorOf(b.Deploy(t.Context(), "shop", "ffff", 0)), 404},
		"a tenant of nobody":    {errorOf(b.Stop(t.Context(), "nobody", 0)), 404},
		"no name":               {errorOf(b.Stop(t.Context(), "../x", 0)), 404},
		"a folder":              {b.Remove(t.Context(), "app", false, 0), 409},
		"nothing to remove":     {b.Remove(t.Context(), "nobody", false, 0), 404},
		"removed at an old one": {b.Remove(t.Context(), "shop", false, first.Revision), 412},
	} {
		r.problem(what, c.err, c.status)
	}
	r.want("/app", 200, "1")
}

func errorOf[T any](_ T, err error) error { return err }

// TestAChangeWaitsForTidying, which nobody has asked for, instead of being told that
// another change is under way.
func TestAChangeWaitsForTidying(t *testing.T) {
	r := start(t, setup{app: sayVersion})
	r.ready("app")
	if _, err := r.deployed("shop", "1"); err != nil {
		t.Fatal(err)
	}
	d := r.host.deployer
	if err := d.leasing.take(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	lease, err := d.lease(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the operator has gone")
	cancel(gone)
	if err := d.alone(impatient, "shop", func() error { return nil }); !errors.Is(err, gone) {
		t.Errorf("while it is tidied: %v, want a wait that ends with %v", err, gone)
	}
	stopped := make(chan error)
	go func() { stopped <- errorOf(r.backend().Stop(t.Context(), "shop", 0)) }()
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.leasing.give("shop")
	if err := <-stopped; err != nil {
		t.Errorf("after it: %v", err)
	}
}

// TestFailedChangesChangeNothing: neither what serves, nor what the state says.
func TestFailedChangesChangeNothing(t *testing.T) {
	var enter, leave chan struct{} // of builds of version 3
	r := start(t, setup{app: sayVersion, maker: func(m *fakeMaker) {
		enter, leave = make(chan struct{}), make(chan struct{})
		m.building = func(a application, version string) error {
			switch {
			case version == "2" || a.tenant.Manifest.Env["BREAK"] != "":
				return &sandbox.Error{Kind: sandbox.KindException, Op: "load", Detail: "no"}
			case version == "3":
				enter <- struct{}{}
				<-leave
			}
			return nil
		}
	}})
	r.ready("app")
	if _, err := r.deployed("shop", "1"); err != nil {
		t.Fatal(err)
	}
	b := r.backend()
	before := r.host.deployer.record("shop")
	_, err := b.SetEnv(t.Context(), "shop", map[string]string{"BREAK": "1"}, nil, 0)
	r.problem("env that breaks", err, 422)
	if now := r.host.deployer.record("shop"); now.Revision != before.Revision || now.Env != nil {
		t.Errorf("%+v", now)
	}
	digest := r.upload("shop", "2")
	_, err = b.Deploy(t.Context(), "shop", digest, 0)
	r.problem("a release that breaks", err, 422)
	r.want("/shop", 200, "1")

	// While one change is under way nobody makes another; when who asked for it
	// leaves, it has not been.
	digest = r.upload("shop", "3")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := b.Deploy(ctx, "shop", digest, 0); ended <- err }()
	<-enter
	_, err = b.Stop(t.Context(), "shop", 0)
	r.problem("a second change", err, 409)
	cancel()
	leave <- struct{}{}
	// The fake build does not look at its context, so it may have been too late.
	if err := <-ended; err == nil {
		r.want("/shop", 200, "3")
	} else {
		r.want("/shop", 200, "1")
	}
	if _, err := b.Stop(t.Context(), "shop", 0); err != nil {
		t.Error(err)
	}
	if status, _ := r.get("/shop"); status != 503 {
		t.Errorf("stopped: %d", status)
	}
}

// TestDeployedTenantsOutliveTheHost: the next host serves what the state says,
// and removes what it does not name.
func TestDeployedTenantsOutliveTheHost(t *testing.T) {
	state := t.TempDir()
	r := start(t, setup{app: sayVersion, edit: func(c *Config) { c.StateDir = state }})
	r.ready("app")
	for _, version := range []string{"1", "2"} {
		if _, err := r.deployed("shop", version); err != nil {
			t.Fatal(err)
		}
	}
	current := r.host.deployer.record("shop").Current
	r.stop()
	stray := filepath.Join(state, deployedDir, "stray", "0000")
	unfinished := filepath.Join(state, deployedDir, "shop", ".making-1")
	for _, dir := range []string{stray, unfinished} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r = start(t, setup{app: sayVersion, edit: func(c *Config) { c.StateDir = state }})
	r.ready("shop", "app")
	r.want("/shop", 200, "2")
	for _, dir := range []string{stray, unfinished} {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if now := r.host.deployer.record("shop"); now.Current != current || len(now.Releases) != 2 {
		t.Errorf("%+v", now)
	}
}

// TestDeployAfterAReload: what was deployed goes by the settings as they are, and is
// not made a second time.
func TestDeployAfterAReload(t *testing.T) {
	r := start(t, setup{app: sayVersion})
	r.ready("app")
	r.host.fleet.reconfigure(t.Context(), *r.host.fleet.cfg.now(), true)
	r.event(EventReady, "app")
	if _, err := r.deployed("shop", "1"); err != nil {
		t.Fatal(err)
	}
	if a := r.siteOf("shop").serving(); a == nil || a.turn != r.host.fleet.turns.Load() {
		t.Errorf("it serves %+v, after %d changes of the settings", a, r.host.fleet.turns.Load())
	}
}
