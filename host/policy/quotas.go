package policy

import (
	"os"

	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// Quotas bound what an application may write: one quota for /data, and one of
// the same size for its own folder when that is writable, because a quota
// counts one folder.
type Quotas struct {
	settings tenants.Data
	folder   os.FileInfo // the application's, when it is writable and there
	data     *wasi.Quota
	app      *wasi.Quota
}

// QuotasFor returns the quotas that all policies of a tenant share: those from
// before, which may be nil, unless settings or folder have changed.
func QuotasFor(t tenants.Tenant, before *Quotas) *Quotas {
	q := &Quotas{settings: t.Manifest.Data}
	if q.settings.WritableApp {
		// A folder that is not there fails where it is opened.
		q.folder, _ = os.Stat(t.Dir)
	}
	if before != nil && before.settings == q.settings && sameFolder(before.folder, q.folder) {
		return before
	}
	bytes, files := max(q.settings.Quota.Bytes(), 1), max(q.settings.Files, 1)
	q.data, q.app = wasi.NewQuota(bytes, files), wasi.NewQuota(bytes, files)
	return q
}

func sameFolder(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b)
}
