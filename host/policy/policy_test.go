package policy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

func testApp(t *testing.T) App {
	t.Helper()
	tenant := tenants.Tenant{Name: "shop", Dir: t.TempDir(), Manifest: tenants.Defaults()}
	tenant.Entry = tenants.Entry{Module: "wsgi", Attr: "make", Factory: true, Path: []string{"src"}, Env: map[string]string{"A": "1", "B": "1"}}
	tenant.Manifest.Env = map[string]string{"B": "2", "TZ": "Europe/Berlin"}
	return App{
		Tenant: tenant, Release: tenants.Release{Site: t.TempDir()}, Root: wasi.Memory(1, 1),
		Data: filepath.Join(t.TempDir(), "data", "shop"), Quotas: QuotasFor(tenant, nil),
	}
}

func mounts(t *testing.T, a App) []string {
	t.Helper()
	p, err := a.Policy()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range p.Mounts {
		out = append(out, m.Guest)
		if _, err := m.Open(); err != nil {
			t.Errorf("%s: %v", m.Guest, err)
		}
	}
	return out
}

func TestMountsAreInAFixedOrder(t *testing.T) {
	a := testApp(t)
	if diff := cmp.Diff([]string{"/", AppDir, SiteDir, DataDir, TmpDir, DevDir}, mounts(t, a)); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(a.Data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data folder: %v, %v", info, err)
	}
	a.Release.Site, a.Tenant.Manifest.Data.Persistent = "", false
	if diff := cmp.Diff([]string{"/", AppDir, TmpDir, DevDir}, mounts(t, a)); diff != "" {
		t.Error(diff)
	}
}

func TestEnvironmentIsTheManifests(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "x")
	p, err := testApp(t).Policy()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"HOME=/data", "LANG=C.UTF-8", "TMPDIR=/tmp", "PYTHONDONTWRITEBYTECODE=1", "A=1", "B=2", "TZ=Europe/Berlin"}
	if diff := cmp.Diff(want, p.Env); diff != "" {
		t.Error(diff)
	}
}

func TestMessages(t *testing.T) {
	a := testApp(t)
	if diff := cmp.Diff([]string{"/app/src", "/app"}, a.Boot().Paths); diff != "" {
		t.Error(diff)
	}
	if got := a.Load().Entry; got != "wsgi:make()" {
		t.Errorf("entry %q", got)
	}
	a.Tenant.Manifest.Environ = map[string]string{"SITE": "Käse", "B": "2"}
	if diff := cmp.Diff([]abi.Pair{{Key: "SERVER_SOFTWARE", Value: "wasgi"}, {Key: "B", Value: "2"}, {Key: "SITE", Value: "Käse"}}, a.Load().Environ); diff != "" {
		t.Error(diff)
	}
}

func TestMissingFolderIsAnError(t *testing.T) {
	a := testApp(t)
	a.Tenant.Dir = filepath.Join(a.Tenant.Dir, "none")
	if _, err := a.Policy(); err == nil {
		t.Error("taken")
	}
}
