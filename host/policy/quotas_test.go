package policy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

func writable(dir string) tenants.Tenant {
	t := tenants.Tenant{Name: "app", Dir: dir, Manifest: tenants.Defaults()}
	t.Manifest.Data.WritableApp = true
	return t
}

func TestWritableApplication(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "app")
	var quotas *Quotas
	for _, name := range []string{"first", "second"} { // the second one replaces the folder
		next := filepath.Join(root, name)
		if err := os.Mkdir(next, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, dir); err != nil {
			t.Fatal(err)
		}
		tenant := writable(dir)
		before := quotas
		quotas = QuotasFor(tenant, before)
		if quotas == before {
			t.Error("the quota of another folder was kept")
		}
		if QuotasFor(tenant, quotas) != quotas {
			t.Error("the quota changed without a reason")
		}
		a := App{Tenant: tenant, Root: wasi.Memory(1<<20, 10), Data: filepath.Join(root, "data"), Quotas: quotas}
		p, err := a.Policy()
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Mounts) != 5 || p.Mounts[1].Guest != AppDir || p.Mounts[2].Guest != DataDir {
			t.Errorf("mounts %+v", p.Mounts)
		}
	}
}
