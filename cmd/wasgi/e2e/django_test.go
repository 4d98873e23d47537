package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func TestDjango(t *testing.T) {
	inBothIsolations(t, "django", func(w world, folder, state string) { djangoSetUp(t, w, folder, state) },
		func(t *testing.T, s site) {
			b := djangoBrowser(t, s)
			t.Run("anonymous", func(t *testing.T) { djangoAnonymous(t, s) })
			t.Run("login", func(t *testing.T) { djangoLogin(s, b.in(t)) })
			t.Run("notes", func(t *testing.T) { djangoNotes(s, b.in(t)) })
			t.Run("attachments", func(t *testing.T) { djangoAttachments(s, b.in(t)) })
			t.Run("admin", func(t *testing.T) { djangoAdmin(s, b.in(t)) })
			t.Run("logout", func(t *testing.T) { djangoLogout(s, b.in(t)) })
			t.Run("static", func(t *testing.T) { djangoStatic(t, s) })
			t.Run("rest", func(t *testing.T) { djangoRest(t, s) })
		})
}

const password = "correct horse"

// manage runs a management command of the application in folder, as the
// application's README has it. Options are those of `wasgi python`.
func (w world) manage(t *testing.T, folder, state string, options []string, arguments ...string) outcome {
	t.Helper()
	args := append([]string{"python", "--app", folder, "--state-dir", state}, options...)
	args = append(args, "manage.py")
	return w.run(t, program{args: append(args, arguments...)})
}

// djangoSetUp makes the tables and the user. Options are those of manage.
func djangoSetUp(t *testing.T, w world, folder, state string, options ...string) {
	t.Helper()
	w.manage(t, folder, state, options, "migrate").exited(0).
		printed("Applying notes.0001_initial... OK\n", "Applying sessions.0001_initial... OK\n")
	w.manage(t, folder, state, append(options,
		"--env", "DJANGO_SUPERUSER_USERNAME=ann",
		"--env", "DJANGO_SUPERUSER_PASSWORD="+password,
		"--env", "DJANGO_SUPERUSER_EMAIL=ann@example.com",
	), "createsuperuser", "--noinput").exited(0).printed("Superuser created successfully.\n")
}

// TestDjangoCommands runs the application's own tests and other commands, in
// the current folder as its author would.
func TestDjangoCommands(t *testing.T) {
	t.Parallel()
	w, state := newWorld(t), t.TempDir()
	folder := filepath.Join(t.TempDir(), "django")
	copyTree(t, w.example("django"), folder)
	manage := func(arguments ...string) outcome {
		t.Helper()
		return w.run(t, program{args: append([]string{"python", "manage.py"}, arguments...), dir: folder, state: state})
	}
	manage("check").exited(0).printed("System check identified no issues (0 silenced).\n").complained("wasgi: install 5 requirements")
	manage("check").wrote(0, "System check identified no issues (0 silenced).\n", "")
	manage("test").exited(0).complained("Ran 9 tests in ", "\nOK\n")
	manage("makemigrations", "--check").wrote(0, "No changes detected\n", "")
	manage("migrate", "--check").exited(1)
	manage("no_such_command").exited(1).complained("Unknown command: 'no_such_command'")
}

// djangoBrowser sends the CSRF token of its jar with every request.
func djangoBrowser(t *testing.T, s site) *browser {
	b := s.browser(t)
	b.prepare = func(r *http.Request) {
		if token := b.cookie("csrftoken"); token != "" {
			r.Header.Set("X-CSRFToken", token)
		}
	}
	return b
}

// in is the same browser, with its cookies, in another test.
func (b *browser) in(t *testing.T) *browser {
	other := *b
	other.t = t
	return &other
}

// djangoHeaders are on every answer that the whole middleware has seen.
func (a answer) djangoHeaders() answer {
	a.t.Helper()
	return a.header("X-Frame-Options", "DENY").header("X-Content-Type-Options", "nosniff").
		header("Referrer-Policy", "same-origin").header("Cross-Origin-Opener-Policy", "same-origin")
}

func djangoAnonymous(t *testing.T, s site) {
	b := s.browser(t)
	for _, path := range []string{"/", ""} {
		a := b.get(path).status(200).contentType(html).header("Vary", "Cookie").djangoHeaders().
			has("<li>No notes yet.</li>", `href="`+s.prefix+`/static/notes/style.css"`, `href="`+s.prefix+`/accounts/login/"`)
		a.length(364 - 3*(len("/django")-len(s.prefix)))
	}
	b.get("/notes/new/").redirect(302, s.prefix+"/accounts/login/?next="+s.prefix+"/notes/new/").djangoHeaders().length(0)
	b.post("/accounts/login/", "username", "ann", "password", password).status(403).
		has("CSRF verification failed. Request aborted.")
}

func djangoLogin(s site, b *browser) {
	b.t.Helper()
	b.get("/accounts/login/").status(200).djangoHeaders().
		sets("csrftoken", "*", "Max-Age=31449600", "Path=/", "SameSite=Lax").
		header("Cache-Control", "max-age=0, no-cache, no-store, must-revalidate, private")
	token := b.cookie("csrftoken")
	if len(token) != 32 {
		b.t.Errorf("CSRF token %q, want 32 letters and digits", token)
	}
	b.post("/accounts/login/", "username", "ann", "password", "wrong").status(200).
		has("Please enter a correct username and password.")
	b.post("/accounts/login/", "username", "ann", "password", password, "next", s.prefix+"/notes/new/").
		redirect(302, s.prefix+"/notes/new/").
		sets("csrftoken", "*", "Max-Age=31449600", "Path=/", "SameSite=Lax").
		sets("sessionid", "*", "HttpOnly", "Max-Age=1209600", "Path=/", "SameSite=Lax")
	if b.cookie("csrftoken") == token {
		b.t.Error("the CSRF token did not change with the login")
	}
	b.get("/").status(200).has("Log out ann")
}

func djangoNotes(s site, b *browser) {
	b.post("/notes/new/", "title", "Tea & <cake>", "body", "line one\nline ☃").redirect(302, s.prefix+"/notes/1/")
	b.get("/notes/1/").status(200).
		has("Note saved.", "<h1>Tea &amp; &lt;cake&gt;</h1>", "<p>by ann</p>", "<p>line one<br>line ☃</p>")
	b.get("/notes/1/").status(200).lacks("Note saved.")
	b.get("/notes/1").redirect(301, s.prefix+"/notes/1/")
	b.get("/notes/99/").status(404)
	b.post("/notes/1/edit/", "title", `Tea, "green"`, "body", "short").redirect(302, s.prefix+"/notes/1/")
	b.get("/export.csv").status(200).contentType("text/csv; charset=utf-8").
		text("1,ann,\"Tea, \"\"green\"\"\",short\r\n")
}

func djangoAttachments(s site, b *browser) {
	b.upload("/notes/1/attach/", "hello.txt", hello).redirect(302, s.prefix+"/notes/1/")
	b.upload("/notes/1/attach/", "zero.bin", zeros(3_000_000)).redirect(302, s.prefix+"/notes/1/")
	b.upload("/notes/1/attach/", "", "").status(200).has("This field is required.")
	b.get("/notes/1/").status(200).ordered(
		`<a href="`+s.prefix+`/attachments/1/">hello.txt</a>`, "6 bytes, sha256 "+helloSum,
		`<a href="`+s.prefix+`/attachments/2/">zero.bin</a>`, "3000000 bytes, sha256 "+zero3MSum)
	b.get("/attachments/1/").status(200).contentType("text/plain").length(6).text(hello).
		header("Content-Disposition", `attachment; filename="hello.txt"`)
	b.get("/attachments/2/").status(200).length(3_000_000).digest(3_000_000, zero3MSum)
	b.get("/attachments/3/").status(404)
}

func djangoAdmin(s site, b *browser) {
	b.get("/admin/").status(200).has("Site administration", `href="`+s.prefix+`/static/admin/css/base.css"`)
	b.post("/admin/notes/note/add/", "author", "1", "title", "FromAdmin", "body", "b",
		"attachments-TOTAL_FORMS", "0", "attachments-INITIAL_FORMS", "0").
		redirect(302, s.prefix+"/admin/notes/note/")
	b.get("/admin/notes/note/").status(200).has("FromAdmin", "was added successfully")
	b.get("/").status(200).ordered(
		`<li><a href="`+s.prefix+`/notes/1/">Tea, &quot;green&quot;</a> by ann</li>`,
		`<li><a href="`+s.prefix+`/notes/2/">FromAdmin</a> by ann</li>`)
	b.get("/notes/2/delete/").status(200).has("Delete FromAdmin?")
	b.post("/notes/2/delete/").redirect(302, s.prefix+"/")
	b.get("/notes/2/").status(404)
}

func djangoLogout(s site, b *browser) {
	b.post("/accounts/logout/").redirect(302, s.prefix+"/")
	b.get("/").status(200).lacks("Log out")
	b.get("/accounts/logout/").status(405).allow("OPTIONS", "POST")
	b.get("/admin/").redirect(302, s.prefix+"/admin/login/?next="+s.prefix+"/admin/")
	b.get("/admin/login/?next="+s.prefix+"/admin/").status(200).has(`name="csrfmiddlewaretoken"`, `name="password"`)
	b.post("/admin/login/", "username", "ann", "password", password, "next", s.prefix+"/admin/").
		redirect(302, s.prefix+"/admin/")
	b.get("/admin/").status(200).has("Site administration")
}

func djangoStatic(t *testing.T, s site) {
	b := s.browser(t)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		a := b.send(method, "/static/notes/style.css").status(200).contentType(`text/css; charset="utf-8"`).length(169).
			header("Cache-Control", "max-age=60, public").header("Access-Control-Allow-Origin", "*")
		if tag := a.resp.Header.Get("Etag"); !strings.HasSuffix(tag, `-a9"`) {
			t.Errorf(`ETag %q does not end with -a9"`, tag)
		}
	}
	b.get("/static/admin/css/base.css").status(200).length(22_120)
	b.get("/static/nope.css").status(404)
}

func djangoRest(t *testing.T, s site) {
	b := s.browser(t)
	b.get("/stream/").status(200).contentType(plain).text(lines(5, "")).djangoHeaders()
	b.get("/stream/?lines=2").text(lines(2, ""))
	b.get("/stream/?lines=x").status(400).length(23).text("lines must be a number\n")
	b.get("/stream/?lines=100000").digest(2_088_895, "44c5fb8e3cebf63ac51110b6195b56ef661358a85fa2b9098f78e054f40b6f43")
	from := s.server.log.size()
	b.get("/fail/").status(500).length(145).has("<h1>Server Error (500)</h1>")
	s.logged(t, "Internal Server Error: "+s.prefix+"/fail/", from)
	s.logged(t, "RuntimeError: deliberate failure", from)
	b.get("/nothing").status(404).length(179).has("The requested resource was not found on this server.")
	from = s.server.log.size()
	b.get("/", host("evil.example")).status(400).has("<h1>Bad Request (400)</h1>")
	s.logged(t, "Invalid HTTP_HOST header: 'evil.example'", from)
}
