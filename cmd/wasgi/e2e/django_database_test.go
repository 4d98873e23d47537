package e2e

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// TestDjangoOnMariaDB is Django's ORM over PyMySQL.
func TestDjangoOnMariaDB(t *testing.T) {
	djangoOn(t, mariadb(t), "django.db.backends.mysql", "pymysql==1.2.4", `import os, pymysql
host, port = os.environ["ADDRESS"].split(":")
with pymysql.connect(host=host, port=int(port), user="wasgi", password="secret") as c, c.cursor() as cursor:
    cursor.execute("create database " + os.environ["DATABASE"] + " character set utf8mb4")
`)
}

// TestDjangoOnPostgreSQL is Django's ORM over pg8000, with a backend by the
// driver's author: Django's own needs libpq.
func TestDjangoOnPostgreSQL(t *testing.T) {
	djangoOn(t, postgres(t), "django_pg8000", "django-pg8000==0.0.5\npg8000==1.31.6", `import os, pg8000.native
host, port = os.environ["ADDRESS"].split(":")
pg8000.native.Connection("wasgi", password="secret", host=host, port=int(port), database="postgres").run("create database " + os.environ["DATABASE"])
`)
}

// djangoOn is Django's example, as it is, with other settings: from migrate to
// the admin's pages, and what transactions keep. create makes a database.
func djangoOn(t *testing.T, address, engine, requirements, create string) {
	_, port, _ := net.SplitHostPort(address)
	prepare := func(w world, folder, state string) {
		copyTree(t, filepath.Join("testdata", "apps", "django-database"), folder)
		write(t, folder, "requirements.txt", read(t, filepath.Join(folder, "requirements.txt"))+requirements+"\n")
		database := strings.ReplaceAll("test_"+filepath.Base(folder), "-", "_")
		write(t, folder, "wasgi.toml", read(t, filepath.Join(folder, "wasgi.toml"))+"[instances]\nmax = 1\n[network]\nallow = [\"127.0.0.1:"+port+"\"]\n"+
			"[env]\nDJANGO_SETTINGS_MODULE = \"mysite.database\"\nENGINE = \""+engine+"\"\nADDRESS = \""+address+"\"\nDATABASE = \""+database+"\"\n")
		w.python(t, "--app", folder, "--state-dir", state, "--allow", address, "-c", create).exited(0)
		djangoSetUp(t, w, folder, state, "--allow", address)
	}
	inBothIsolationsWith(t, "django", []string{"--egress", "127.0.0.1:*"}, prepare, func(t *testing.T, s site) {
		b := djangoBrowser(t, s)
		t.Run("login", func(t *testing.T) { djangoAnonymous(t, s); djangoLogin(s, b.in(t)) })
		t.Run("notes", func(t *testing.T) { djangoNotes(s, b.in(t)) })
		t.Run("attachments", func(t *testing.T) { djangoAttachments(s, b.in(t)) })
		t.Run("admin", func(t *testing.T) { djangoAdmin(s, b.in(t)) })
		t.Run("transactions", func(t *testing.T) { djangoTransactions(b.in(t)) })
		t.Run("connections", func(t *testing.T) { djangoConnections(s, b.in(t)) })
		t.Run("logout", func(t *testing.T) { djangoLogout(s, b.in(t)) })
	})
}

func djangoTransactions(b *browser) {
	b.get("/transactions/atomic/").status(200).json(`{"before": [], "within": ["given up", "kept"], "after": ["kept"], "savepoint": ["kept", "outer"],
		"committed": ["kept"], "twice": ["kept", "outer"], "locked": "kept"}`)
	b.get("/transactions/fails/").status(500)
	b.get("/transactions/left/").status(200).json(`{"names": ["kept", "outer"]}`)
	b.get("/transactions/crud/").status(200).json(`{"created": 5, "updated": 1, "first": ["n0 😀 %s", "it's \\ \"\n\tü", "2026-02-03T04:05:06.789012+00:00"],
		"eve": [true, false, true], "either": 3, "years": [2026], "counted": [5, "n4 😀 %s"], "moved": 1, "iterated": ["n3", "n2", "n1", "n0", "la"],
		"deleted": [6, {"notes.Note": 5, "auth.User": 1}], "raw": [3, "100%"]}`)
}

// djangoConnections: CONN_MAX_AGE keeps one where the interpreter stays.
func djangoConnections(s site, b *browser) {
	first := b.get("/transactions/number/").status(200).body
	second := b.get("/transactions/number/").status(200).body
	if kept := first == second; kept != (s.tenant == "django") {
		b.t.Errorf("connections %s and %s of tenant %s", first, second, s.tenant)
	}
}
