package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	html     = "text/html; charset=utf-8"
	jsonType = "application/json"
)

func TestFlask(t *testing.T) {
	inBothIsolations(t, "flask", nil, func(t *testing.T, s site) {
		t.Run("session", func(t *testing.T) { flaskSession(t, s) })
		t.Run("uploads", func(t *testing.T) { flaskUploads(t, s) })
		t.Run("items", func(t *testing.T) { flaskItems(t, s) })
		t.Run("concurrent", func(t *testing.T) { flaskConcurrent(t, s) })
		t.Run("rest", func(t *testing.T) { flaskRest(t, s) })
	})
}

// sized is a length that grows with the mount point: short at /, long at
// /flask.
func sized(s site, short, long int) int {
	if s.prefix == "" {
		return short
	}
	return long
}

func flaskSession(t *testing.T, s site) {
	b := s.browser(t)
	b.get("/").status(200).contentType(html).length(sized(s, 416, 446)).header("Vary", "Cookie").
		has("<li>No entries yet.</li>", `href="`+s.prefix+`/static/style.css"`, `href="`+s.prefix+`/login"`)
	if s.prefix != "" {
		b.get("").redirect(308, s.url("/"))
	}
	b.post("/entries", "body", "x").redirect(302, s.prefix+"/login")
	b.get("/login").status(200).has("Please log in first.")
	b.get("/login").status(200).length(sized(s, 552, 582)).lacks("Please log in first.")
	flaskLogin(s, b)
	flaskEntries(s, b)
	b.post("/logout").redirect(302, s.prefix+"/")
	b.get("/").has("Goodbye.", "<li><b>ann</b>:").lacks("Log out")
}

func flaskLogin(s site, b *browser) {
	b.post("/login", "name", "ann", "password", "pw").status(401).has("Wrong name or password.")
	b.post("/register", "name", "ann").status(400).has("Name and password are required.")
	b.post("/register", "name", "ann", "password", "secret").redirect(302, s.prefix+"/login")
	b.get("/login").has("Account created. Please log in.")
	b.post("/register", "name", "ann", "password", "secret").status(400).has("This name is taken.")
	b.post("/login", "name", "ann", "password", "wrong").status(401)
	b.post("/login", "name", "ann", "password", "secret").redirect(302, s.prefix+"/").
		sets("session", "*", "HttpOnly", "Path=/", "SameSite=Lax")
	b.get("/").status(200).has("Welcome, ann!", "Log out ann", `action="`+s.prefix+`/logout"`)
}

func flaskEntries(s site, b *browser) {
	b.post("/entries", "body", "<b>hi</b> & ☃").redirect(302, s.prefix+"/")
	b.post("/entries", "body", "").redirect(302, s.prefix+"/")
	b.get("/").has("Say something.", "<li><b>ann</b>: &lt;b&gt;hi&lt;/b&gt; &amp; ☃</li>")
	forged := "session=" + strings.Replace(b.cookie("session"), ".", "-.", 1)
	s.browser(b.t).get("/", header("Cookie", forged)).status(200).has(`href="` + s.prefix + `/login"`).lacks("Log out")
	b.get("/").has("Log out ann").lacks("Say something.")
}

func flaskUploads(t *testing.T, s site) {
	b := s.browser(t)
	b.get("/upload").status(200).length(sized(s, 546, 576)).has("No files yet.")
	for _, f := range []struct{ sent, kept, content, sum string }{
		{"hello.txt", "hello.txt", hello, helloSum},
		{"../../etc/passwd", "etc_passwd", hello, helloSum},
		{"zero.bin", "zero.bin", zeros(2_000_000), zero2MSum},
	} {
		want := `{"name":"` + f.kept + `","sha256":"` + f.sum + `","size":` + strconv.Itoa(len(f.content)) + "}\n"
		b.upload("/upload", f.sent, f.content).redirect(201, s.prefix+"/uploads/"+f.kept).
			contentType(jsonType).length(len(want)).text(want)
	}
	for _, unusable := range []string{"", ".."} {
		b.upload("/upload", unusable, hello).status(400).text(`{"error":"a file with a usable name is required"}` + "\n")
	}
	b.get("/upload").ordered(`href="`+s.prefix+`/uploads/etc_passwd"`, `href="`+s.prefix+`/uploads/hello.txt"`, `href="`+s.prefix+`/uploads/zero.bin"`)
	b.get("/uploads/zero.bin").status(200).length(2_000_000).digest(2_000_000, zero2MSum)
	flaskDownload(b)
	b.get("/uploads/nope").status(404).contentType(html).has("There is nothing at /uploads/nope.")
	b.get("/uploads/..%2fguestbook.sqlite3").status(404).has("There is nothing at /uploads/../guestbook.sqlite3.")
	tooLarge(b, "/upload")
}

func flaskDownload(b *browser) {
	a := b.get("/uploads/hello.txt").status(200).contentType(plain).length(6).text(hello).
		header("Content-Disposition", "attachment; filename=hello.txt").
		header("Accept-Ranges", "bytes").header("Cache-Control", "no-cache")
	b.get("/uploads/hello.txt", header("Range", "bytes=1-3")).status(206).
		header("Content-Range", "bytes 1-3/6").length(3).text("ell")
	b.get("/uploads/hello.txt", header("If-None-Match", a.resp.Header.Get("Etag"))).status(304).text("")
	b.send(http.MethodHead, "/uploads/hello.txt").status(200).length(6).text("")
}

// tooLarge announces a body above 64 MiB, which no client gets to send.
func tooLarge(b *browser, path string) {
	b.send(http.MethodPost, path, body("multipart/form-data; boundary=x", zeros(70_000_000)), header("Expect", "100-continue")).
		status(413)
}

func flaskItems(t *testing.T, s site) {
	const refused = `{"error":"a JSON object with a name is required"}` + "\n"
	b := s.browser(t)
	post := func(contentType, text string) answer {
		return b.send(http.MethodPost, "/api/items", body(contentType, text)).contentType(jsonType)
	}
	b.get("/api/items").status(200).contentType(jsonType).length(13).text("{\"items\":[]}\n").header("Set-Cookie")
	post(jsonType, `{"name":"tea"}`).redirect(201, s.prefix+"/api/items/1").text(`{"id":1,"name":"tea"}` + "\n")
	post(jsonType, `{"name":"Käse"}`).redirect(201, s.prefix+"/api/items/2").text(`{"id":2,"name":"K\u00e4se"}` + "\n")
	post("application/x-www-form-urlencoded", `{"name":"tea"}`).status(400).text(refused)
	post(jsonType, "[1]").status(400).text(refused)
	b.get("/api/items").text(`{"items":[{"id":1,"name":"tea"},{"id":2,"name":"K\u00e4se"}]}` + "\n")
	b.get("/api/items/1").status(200).text(`{"id":1,"name":"tea"}` + "\n")
	b.send(http.MethodDelete, "/api/items/1").status(204).text("")
	b.send(http.MethodDelete, "/api/items/1").status(404).text(`{"error":"no such item"}` + "\n")
	b.get("/api/items").text(`{"items":[{"id":2,"name":"K\u00e4se"}]}` + "\n")
	b.send(http.MethodPut, "/api/items").status(405).allow("GET", "HEAD", "OPTIONS", "POST")
}

// flaskConcurrent has many clients write to one database, through several
// instances: no write may fail or be lost.
func flaskConcurrent(t *testing.T, s site) {
	const clients, each = 6, 10
	b := s.browser(t)
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() {
			for n := range each {
				text := fmt.Sprintf(`{"name":"%d of %d"}`, n, client)
				resp, err := b.client.Do(b.request(http.MethodPost, "/api/items", body(jsonType, text)))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusCreated {
					t.Errorf("adding %s: status %d", text, resp.StatusCode)
				}
			}
		})
	}
	running.Wait()
	a := b.get("/api/items").status(200)
	for client := range clients {
		for n := range each {
			a.has(fmt.Sprintf(`"name":"%d of %d"}`, n, client))
		}
	}
}

func flaskRest(t *testing.T, s site) {
	b := s.browser(t)
	b.get("/stream").status(200).contentType(plain).text(lines(5, " from /stream"))
	b.get("/stream?lines=2").text(lines(2, " from /stream"))
	b.get("/stream?lines=x").text(lines(5, " from /stream"))
	b.get("/stream?lines=100000").status(200).
		digest(3_388_895, "00cc07cf806f47c0c056f7ca29d00f9168fcc155aa83bf9c100ee041812f968a")
	b.get("/static/style.css").status(200).contentType("text/css; charset=utf-8").length(167)
	from := s.server.log.size()
	b.get("/fail").status(500).contentType(html).length(265).has("<h1>Internal Server Error</h1>")
	s.logged(t, "Exception on /fail [GET]", from)
	s.logged(t, "RuntimeError: deliberate failure", from)
	b.get("/nothing").status(404).contentType(html).has("There is nothing at /nothing.")
}

// lines is what the streaming examples make.
func lines(n int, end string) string {
	var text strings.Builder
	for i := range n {
		text.WriteString("line " + strconv.Itoa(i+1) + " of " + strconv.Itoa(n) + end + "\n")
	}
	return text.String()
}
