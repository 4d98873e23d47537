package e2e

import (
	"path/filepath"
	"testing"
)

// books makes a database of one row below the state folder of an application.
const books = `
import sqlite3
db = sqlite3.connect("/data/books.db")
db.execute("CREATE TABLE books (title TEXT)")
db.execute("INSERT INTO books VALUES ('Emma')")
db.commit()
`

// TestSQLiteReadersDoNotWait has one instance in the middle of reading a
// database while others read it too; a writer is told that it is busy, and not
// kept out any more when the reader has ended.
func TestSQLiteReadersDoNotWait(t *testing.T) {
	t.Parallel()
	w, root, state := newWorld(t), t.TempDir(), t.TempDir()
	write(t, w.app(t, root, "hostile"), "wasgi.toml", "[instances]\nmax = 3\n")
	s := w.serve(t, launch{root: root, state: state}, "hostile")
	site := s.site(t, "hostile")
	site.attack(t, books+"answer = 'made'").status(200).text("made")
	reader := inFlight(t, site, "in flight", `
import sqlite3
db = sqlite3.connect("/data/books.db", isolation_level=None)
db.execute("BEGIN")
rows = db.execute("SELECT * FROM books").fetchall()
environ["wsgi.errors"].write("has read\n")
while not os.path.exists("/data/go"): time.sleep(0.01)
answer = rows + db.execute("SELECT * FROM books").fetchall()
db.execute("COMMIT")
db.close()
`)
	s.site(t, "hostile").logged(t, "has read", 0)
	const other = "import sqlite3\ndb = sqlite3.connect('/data/books.db', timeout=0)\n"
	const list = "answer = db.execute('SELECT * FROM books').fetchall()\n"
	site.attack(t, other+list).status(200).text("[('Emma',)]")
	const insert = `
db.execute("INSERT INTO books VALUES ('Persuasion')")
try:
    db.commit()
    answer = "committed"
except sqlite3.OperationalError as error:
    answer = (error.sqlite_errorname, str(error))
`
	site.attack(t, other+insert+"db.rollback()\ndb.close()").status(200).text("('SQLITE_BUSY', 'database is locked')")
	write(t, state, "data/hostile/go", "")
	(<-reader).status(200).text("[('Emma',), ('Emma',)]")
	site.attack(t, other+insert+"db.close()").status(200).text("committed")
	site.attack(t, other+list).status(200).text("[('Emma',), ('Persuasion',)]")
}

// TestSQLiteReadOnly opens a database that lies beside the application's code,
// and one that was made in WAL mode.
func TestSQLiteReadOnly(t *testing.T) {
	t.Parallel()
	w, root, state := newWorld(t), t.TempDir(), t.TempDir()
	folder := w.app(t, root, "hostile")
	w.python(t, "--app", folder, "--state-dir", state, "-c", books+`
db = sqlite3.connect("/data/wal.db")
modes = [db.execute(f"PRAGMA {p}").fetchone()[0] for p in ("journal_mode=WAL", "locking_mode=EXCLUSIVE", "journal_mode=WAL")]
db.execute("CREATE TABLE t (x)")
print(*modes)
`).wrote(0, "delete exclusive wal\n", "")
	copyTree(t, filepath.Join(state, "data", "hostile"), folder)
	site := w.serve(t, launch{root: root, state: state}, "hostile").site(t, "hostile")
	site.attack(t, `
import sqlite3
db = sqlite3.connect("/app/books.db")
answer = db.execute("SELECT * FROM books").fetchall()
try:
    db.execute("DELETE FROM books")
except sqlite3.OperationalError as error:
    answer.append(str(error))
`).status(200).text("[('Emma',), 'attempt to write a readonly database']")
	site.attack(t, `
import sqlite3
try:
    sqlite3.connect("/data/wal.db").execute("SELECT * FROM t")
except sqlite3.OperationalError as error:
    answer = error
`).status(200).text("unable to open database file: it is in WAL mode, which needs shared memory that WebAssembly lacks: " +
		"run PRAGMA locking_mode=EXCLUSIVE first, or PRAGMA journal_mode=DELETE where it was made")
}

// TestFileLocks has instances lock one file: flock and lockf, waiting for each
// other and not, and ending with the request that is put back to its snapshot.
func TestFileLocks(t *testing.T) {
	t.Parallel()
	w, root, state := newWorld(t), t.TempDir(), t.TempDir()
	write(t, w.app(t, root, "hostile"), "wasgi.toml", "isolation = \"fresh\"\n[instances]\nmax = 3\n")
	s := w.serve(t, launch{root: root, state: state}, "hostile")
	site := s.site(t, "hostile")
	const open = "import fcntl\nfile = open('/data/file', 'a+')\n"
	for _, call := range []string{"flock", "lockf"} {
		holder := inFlight(t, site, call+" in flight", open+"fcntl."+call+"(file, fcntl.LOCK_EX)\n"+
			"kept['file'] = file\nenviron['wsgi.errors'].write('"+call+" held\\n')\n"+
			"while not os.path.exists('/data/"+call+"'): time.sleep(0.01)\n")
		site.logged(t, call+" held", 0)
		site.attack(t, open+`
try:
    fcntl.`+call+`(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    answer = "held by another"
`).status(200).text("held by another")
		waiter := inFlight(t, site, call+" waits", open+"fcntl."+call+"(file, fcntl.LOCK_EX)\nanswer = 'got it'\n")
		write(t, state, "data/hostile/"+call, "")
		(<-holder).status(200).text("well\n")
		(<-waiter).status(200).text("got it")
	}
}

// TestFileModes has what programs expect of modes, umask and the user.
func TestFileModes(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	folder := w.app(t, root, "hostile")
	write(t, folder, "shutil_copy.txt", hello)
	w.python(t, "--app", folder, "--state-dir", t.TempDir(), "-c", `
import getpass, grp, os, pwd, shutil, stat, tempfile
def mode(path): return oct(stat.S_IMODE(os.stat(path).st_mode))
print(mode("/app/shutil_copy.txt"), mode("/app"), mode(os.__file__), mode("/tmp"), mode("/dev/null"), os.access("/app", os.W_OK), os.access("/app/shutil_copy.txt", os.W_OK))
for base in "/tmp", "/data":
    os.chdir(base)
    os.umask(0o077)
    with open("a", "w"): pass
    os.mkdir("d")
    os.umask(0o022)
    shutil.copy("/app/shutil_copy.txt", "b")
    print(mode("a"), mode("d"), mode("b"), os.access("b", os.W_OK), os.access("b", os.R_OK))
    os.chmod("b", 0o640)
    print(mode("b"), mode(tempfile.mkdtemp(dir=base)), oct(stat.S_IMODE(os.fstat(tempfile.mkstemp(dir=base)[0]).st_mode)))
print(os.stat("/app").st_uid == os.getuid() == pwd.getpwnam(getpass.getuser()).pw_uid, grp.getgrgid(os.getgid()).gr_name, os.path.expanduser("~"))
`).wrote(0, `0o644 0o755 0o644 0o777 0o666 False False
0o600 0o700 0o644 True True
0o640 0o700 0o600
0o600 0o700 0o644 True True
0o640 0o700 0o600
True wasgi /data
`, "")
}
