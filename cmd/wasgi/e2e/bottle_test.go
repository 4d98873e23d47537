package e2e

import (
	"net/http"
	"strconv"
	"testing"
)

const bottleHTML = "text/html; charset=UTF-8"

func TestBottle(t *testing.T) {
	inBothIsolations(t, "bottle", nil, func(t *testing.T, s site) {
		t.Run("visitor", func(t *testing.T) { bottleVisitor(t, s) })
		t.Run("uploads", func(t *testing.T) { bottleUploads(t, s) })
		t.Run("sums", func(t *testing.T) { bottleSums(t, s) })
		t.Run("rest", func(t *testing.T) { bottleRest(t, s) })
	})
}

func bottleVisitor(t *testing.T, s site) {
	const signed = `"!xzbFdwADF6DgDQ0g3UVc2m0c+v63dwYFTmYs8tydHXU=?gAWVGgAAAAAAAABdlCiMB3Zpc2l0b3KUjAhab8OrIDx4PpRlLg=="`
	b := s.browser(t)
	b.get("/").status(200).contentType(bottleHTML).length(sized(s, 496, 517)).
		has("<p>We have not met.</p>", `href="`+s.prefix+`/static/style.css"`)
	b.get("").status(200).length(sized(s, 496, 517))
	b.post("/name", "name", "").status(400).has("A name is required.")
	b.post("/name", "name", "Zoë <x>").redirect(303, s.url("/")).
		sets("visitor", signed, "HttpOnly", "Path="+s.prefix+"/", "SameSite=lax")
	b.get("/").status(200).has("<p>Welcome back, Zoë &lt;x&gt;!</p>")
	s.browser(t).get("/", header("Cookie", `visitor="!AAAA?BBBB"`)).status(200).has("We have not met.")
	b.post("/forget").redirect(303, s.url("/")).sets("visitor", `""`, "Max-Age=-1", "Path="+s.prefix+"/")
	b.get("/").has("We have not met.")
}

func bottleUploads(t *testing.T, s site) {
	b := s.browser(t)
	for _, f := range []struct{ sent, kept, content, sum string }{
		{"hello.txt", "hello.txt", hello, helloSum},
		{"../../etc/passwd", "passwd", hello, helloSum},
		{"zero.bin", "zero.bin", zeros(3_000_000), zero3MSum},
	} {
		want := `{"name": "` + f.kept + `", "size": ` + strconv.Itoa(len(f.content)) + `, "sha256": "` + f.sum + `"}`
		b.upload("/upload", f.sent, f.content).status(201).contentType(jsonType).length(len(want)).text(want)
	}
	b.upload("/upload", "", "").status(400).has("A file is required.")
	b.get("/upload").status(405).allow("POST")
	link := func(name string) string {
		return `<li><a href="` + s.prefix + `/uploads/` + name + `">` + name + `</a></li>`
	}
	b.get("/").ordered(link("hello.txt"), link("passwd"), link("zero.bin"))
	bottleDownload(b)
	b.get("/uploads/zero.bin").status(200).length(3_000_000).digest(3_000_000, zero3MSum)
	b.get("/uploads/nope").status(404).contentType(plain).text("Nothing at /uploads/nope\n")
	b.get("/uploads/..%2f..%2fetc").status(404).text("Nothing at /uploads/../../etc\n")
}

func bottleDownload(b *browser) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		a := b.send(method, "/uploads/hello.txt").status(200).contentType("text/plain; charset=UTF-8").length(6).
			header("Content-Disposition", `attachment; filename="hello.txt"`).header("Accept-Ranges", "bytes")
		a.text(map[string]string{http.MethodGet: hello}[method])
	}
	b.get("/uploads/hello.txt", header("Range", "bytes=1-3")).status(206).
		header("Content-Range", "bytes 1-3/6").length(3).text("ell")
}

func bottleSums(t *testing.T, s site) {
	const refused = `{"error": "every n must be an integer"}`
	b := s.browser(t)
	b.get("/api/sum?n=1&n=41").status(200).contentType(jsonType).text(`{"sum": 42}`)
	b.get("/api/sum").status(200).text(`{"sum": 0}`)
	b.get("/api/sum?n=x").status(400).contentType(jsonType).text(refused)
	post := func(contentType, text string) answer {
		return b.send(http.MethodPost, "/api/sum", body(contentType, text))
	}
	post(jsonType, `{"n":[1,2,39]}`).status(200).text(`{"sum": 42}`)
	post(jsonType, `{bad`).status(400).contentType(bottleHTML).has("Invalid JSON")
	post(jsonType, `{"n":null}`).status(400).contentType(jsonType).text(refused)
	post("application/x-www-form-urlencoded", "n=1").status(200).text(`{"sum": 0}`)
}

func bottleRest(t *testing.T, s site) {
	b := s.browser(t)
	b.get("/hello/World").status(200).contentType(bottleHTML).length(21).text("<p>Hello, World!</p>\n")
	b.get("/hello/%3Cb%3E%20Zo%C3%AB").status(200).length(30).text("<p>Hello, &lt;b&gt; Zoë!</p>\n")
	b.get("/stream").status(200).contentType(plain).text(lines(5, ""))
	b.get("/stream?lines=2").text(lines(2, ""))
	b.get("/stream?lines=x").text(lines(5, ""))
	b.get("/stream?lines=100000").digest(2_088_895, "44c5fb8e3cebf63ac51110b6195b56ef661358a85fa2b9098f78e054f40b6f43")
	b.get("/static/style.css").status(200).contentType("text/css; charset=UTF-8").length(77)
	from := s.server.log.size()
	b.get("/fail").status(500).contentType(bottleHTML).has("Error: 500 Internal Server Error")
	s.logged(t, "RuntimeError: deliberate failure", from)
	b.get("/nothing").status(404).contentType(plain).text("Nothing at /nothing\n")
	b.send(http.MethodDelete, "/hello/World").status(405).allow("GET")
}
