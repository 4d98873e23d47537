package e2e

import (
	"net/http"
	"strings"
	"testing"
)

const plain = "text/plain; charset=utf-8"

func TestBare(t *testing.T) {
	inBothIsolations(t, "bare", nil, func(t *testing.T, s site) {
		t.Run("greeting", func(t *testing.T) { bareGreeting(t, s) })
		t.Run("environ", func(t *testing.T) { bareEnviron(t, s) })
		t.Run("echo", func(t *testing.T) { bareEcho(t, s) })
		t.Run("stream", func(t *testing.T) { bareStream(t, s) })
		t.Run("status", func(t *testing.T) { bareStatus(t, s) })
		t.Run("fail", func(t *testing.T) { bareFail(t, s) })
	})
}

func bareGreeting(t *testing.T, s site) {
	const greeting = "Hello from WSGI!\n"
	b := s.browser(t)
	b.get("/").status(200).contentType(plain).length(17).text(greeting)
	b.get("").status(200).contentType(plain).length(17).text(greeting)
	b.send(http.MethodHead, "/").status(200).contentType(plain).length(17).text("")
	b.get("/nothing").status(404).contentType(plain).text("404 Not Found\n")
	b.get("/write").status(200).contentType(plain).text("written first\nwritten second\nreturned last\n")
}

func bareEnviron(t *testing.T, s site) {
	a := s.browser(t).get("/environ?q=%C3%A9&r=1", header("X-Thing", "one, two"), header("User-Agent", "e2e"))
	a.status(200).contentType(plain).ordered(
		"HTTP_HOST='"+s.host()+"'\n",
		"HTTP_USER_AGENT='e2e'\n",
		"HTTP_X_THING='one, two'\n",
		"PATH_INFO='/environ'\n",
		"QUERY_STRING='q=%C3%A9&r=1'\n",
		"REMOTE_ADDR='127.0.0.1'\n",
		"REQUEST_METHOD='GET'\n",
		"SCRIPT_NAME='"+s.prefix+"'\n",
		"SERVER_NAME='127.0.0.1'\n",
		"SERVER_PORT='"+strings.TrimPrefix(s.host(), "127.0.0.1:")+"'\n",
		"SERVER_PROTOCOL='HTTP/1.1'\n",
		"wsgi.errors=<",
		"wsgi.file_wrapper=<",
		"wsgi.input=<",
		"wsgi.input_terminated=True\n",
		"wsgi.multithread=False\n",
		"wsgi.run_once=False\n",
		"wsgi.url_scheme='http'\n",
		"wsgi.version=(1, 0)\n",
	).lacks("CONTENT_TYPE", "HTTP_CONTENT", "HTTP_CONNECTION", "HTTP_PROXY")
	s.browser(t).get("/environ", header("Proxy", "http://evil.example"), header("X_Thing", "1")).
		status(200).lacks("HTTP_PROXY", "X_THING")
}

func bareEcho(t *testing.T, s site) {
	const odd = "h\xc3\xa9llo\x00x"
	b := s.browser(t)
	b.send("POST", "/echo", body("application/x-thing", odd)).
		status(200).contentType("application/x-thing").length(8).text(odd).
		header("X-Body-SHA256", "a1439373b9d34865430ce10ac8ff8f29ee949574c5d077d7d84d6bd40afcaced")
	b.send("POST", "/echo").
		status(200).contentType("application/octet-stream").length(0).
		header("X-Body-SHA256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	b.send("POST", "/echo", chunked("abc")).
		status(200).contentType("application/octet-stream").length(3).text("abc").
		header("X-Body-SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
	for _, content := range []option{body("", zeros(5_000_000)), chunked(zeros(5_000_000))} {
		b.send("POST", "/echo", content).
			status(200).length(5_000_000).digest(5_000_000, zero5MSum).header("X-Body-SHA256", zero5MSum)
	}
	b.get("/echo").status(405).contentType(plain).allow("POST").text("use POST\n")
}

const chunks = "chunk 1 of 5\nchunk 2 of 5\nchunk 3 of 5\nchunk 4 of 5\nchunk 5 of 5\n"

func bareStream(t *testing.T, s site) {
	b := s.browser(t)
	for _, query := range []string{"", "?pause=x", "?pause=0.1"} {
		from := s.server.log.size()
		b.get("/stream" + query).status(200).contentType(plain).text(chunks)
		s.logged(t, "stream closed after 5 chunks", from)
	}
	from := s.server.log.size()
	b.send(http.MethodHead, "/stream").status(200).contentType(plain).text("")
	s.logged(t, "stream closed after ", from)
	bareLeave(t, s)
}

// bareLeave leaves after the first chunk: the application must hear of it, once.
func bareLeave(t *testing.T, s site) {
	b, from := s.browser(t), s.server.log.size()
	b.begin("/stream?pause=1").expect("chunk 1 of 5\n").leave()
	s.logged(t, "stream closed after ", from)
	b.get("/").status(200)
	if closed, late := s.count("stream closed after ", from), s.count("after 5 chunks", from); closed != 1 || late != 0 {
		t.Errorf("the application was closed %d times, %d of them at its end, want once and early; the log:\n%s", closed, late, s.server.log)
	}
}

func bareStatus(t *testing.T, s site) {
	b := s.browser(t)
	for path, want := range map[string]string{
		"/status/200": "200 OK\n",
		"/status/302": "302 Found\n",
		"/status/418": "418 I'm a Teapot\n",
		"/status/503": "503 Service Unavailable\n",
		"/status/599": "599 Unknown\n",
		"/status/999": "999 Unknown\n",
	} {
		code := int(want[0]-'0')*100 + int(want[1]-'0')*10 + int(want[2]-'0')
		b.get(path).status(code).contentType(plain).length(len(want)).text(want).header("Location")
	}
	b.get("/status/204").status(204).header("Content-Type").header("Content-Length").text("")
	b.get("/status/304").status(304).header("Content-Type").text("")
	for _, path := range []string{"/status/100", "/status/199", "/status/1000", "/status/42", "/status/abc"} {
		b.get(path).status(404).contentType(plain).length(14).text("404 Not Found\n")
	}
}

// bareFail has the application raise before it answers: the host answers, says
// nothing of the application, and names the request as the log does.
func bareFail(t *testing.T, s site) {
	b, from := s.browser(t), s.server.log.size()
	a := b.get("/fail").status(500).contentType(plain).has("500 Internal Server Error\n").lacks("deliberate", "Traceback", ".py")
	s.logged(t, "RuntimeError: deliberate failure", from)
	id := a.resp.Header.Get("X-Request-Id")
	if id == "" {
		t.Fatalf("no X-Request-Id in %v", a.resp.Header)
	}
	a.has(id)
	s.logged(t, id, from)
	b.get("/fail", header("Accept", "text/html,*/*")).status(500).contentType("text/html; charset=utf-8").
		has("<h1>500 Internal Server Error</h1>").lacks("deliberate", "Traceback", ".py")
	b.get("/").status(200).text("Hello from WSGI!\n")
}
