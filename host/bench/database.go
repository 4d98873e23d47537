package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// pooled is fresh with connections that the host keeps.
const pooled = "wasgi fresh, network.pool"

func databaseApp() app { return app{name: "database", check: isText("42\n")} }

// databasePart measures a page with one query: where interpreters are used again
// the connection stays with them, and fresh makes one for each request, or gets
// one from the host's pool.
func databasePart(ctx context.Context, b *bench, s *section) error {
	s.note("Flask asks PostgreSQL, on the same cores, for one number through pg8000. The driver's connection stays with the interpreter: " +
		"of wasgi `reuse` and gunicorn for good, of wasgi `fresh` for one request, in which it logs in (SCRAM-SHA-256, in Python). " +
		"The processor time is that of the server without PostgreSQL's.")
	database, err := b.startPostgres(ctx)
	if err != nil {
		return err
	}
	defer database.stop()
	a, f := databaseApp(), &fleet{}
	defer f.stop()
	if err := b.addDatabaseTenants(ctx, f, a, database.addr); err != nil {
		s.fault("wasgi: %v", err)
	}
	if err := b.addPeer(ctx, f, a, b.gunicorn(baseline, b.cores, "sync", "--env", "POSTGRES="+database.addr)); err != nil {
		s.fault("%s: %v", baseline, err)
	}
	return b.loads(ctx, f, a, b.opt.connections, s)
}

// addDatabaseTenants serves the application three times from one process.
func (b *bench) addDatabaseTenants(ctx context.Context, f *fleet, a app, database string) error {
	b.show.doing("starting wasgi")
	name := "wasgi-" + a.name
	root := filepath.Join(b.opt.work, "roots", name)
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	tenants := []struct{ server, folder, isolation, pool string }{
		{reuse, "reuse", "reuse", ""}, {fresh, "fresh", "fresh", ""},
		{pooled, "pooled", "fresh", fmt.Sprintf("[network.pool]\npostgresql = [%q]\nsize = 64\n", database)},
	}
	for _, t := range tenants {
		// No path is warmed up: a connection would be in the snapshot.
		toml := fmt.Sprintf("isolation = %q\n[instances]\nqueue = 2000\n[network]\nallow = [%q]\n%s[env]\nPOSTGRES = %[2]q\n", t.isolation, database, t.pool)
		dir := filepath.Join(root, t.folder)
		err := errors.Join(os.CopyFS(dir, os.DirFS(b.appDir(a.name))), os.WriteFile(filepath.Join(dir, "wasgi.toml"), []byte(toml), 0o644))
		if err != nil {
			return err
		}
	}
	proc, addr, err := b.serve(name, root, filepath.Join(b.opt.work, "state", name), "--slots", fmt.Sprint(b.cores), "--egress", database)
	if err != nil {
		return err
	}
	f.procs = append(f.procs, proc)
	for _, t := range tenants {
		if err := f.ready(ctx, a, server{t.server, "http://" + addr + "/" + t.folder + "/", proc}, wasgiPatience); err != nil {
			return err
		}
	}
	return nil
}
