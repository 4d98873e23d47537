package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// attacksOnTheFront are the rows about what the host answers by itself: forms of
// the console, files, certificates, figures.
func attacksOnTheFront() []attackRow {
	return []attackRow{
		{id: 50, name: "multipart bombs", safe: "4xx or the login after a few KiB, no memory for it", run: formBombs},
		{id: 51, name: "ranges, dotfiles and sources of static files", safe: "no more bytes than the file has, nothing that is not shown", run: staticBombs},
		{id: 67, name: "certificates on demand", safe: "no order for a name that no manifest has", run: strangeNames},
		{id: 87, name: "metrics without bound", safe: "not one series more after a thousand names, paths and methods", run: metricFlood},
	}
}

// visitor is logged in to the console, without a browser.
type visitor struct {
	g      *siege
	client *http.Client
	origin string
}

func (v visitor) do(method, path, kind string, body io.Reader) (status int, text string) {
	v.g.Helper()
	r, err := http.NewRequestWithContext(v.g.Context(), method, v.origin+path, body)
	if err != nil {
		v.g.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Origin", v.origin)
	res, err := v.client.Do(r)
	if err != nil { // the host had enough of the body
		return 0, err.Error()
	}
	defer res.Body.Close()
	all, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(all)
}

// secret is that of the forms of a page.
func (v visitor) secret(path string) string {
	v.g.Helper()
	_, page := v.do("GET", path, "", nil)
	match := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(page)
	if match == nil {
		v.g.Fatalf("%s has no form: %.500s", path, page)
	}
	return match[1]
}

func (v visitor) login(token string) {
	v.g.Helper()
	form := url.Values{"form": {v.secret("/console/login")}, "token": {token}}
	if status, page := v.do("POST", "/console/login", "application/x-www-form-urlencoded", strings.NewReader(form.Encode())); status != 200 {
		v.g.Fatalf("the login: %d %.300s", status, page)
	}
}

// many is n times the text, made while it is read.
func many(text string, n int) io.Reader {
	return io.LimitReader(&again{text: text}, int64(len(text)*n))
}

type again struct {
	text string
	at   int
}

func (a *again) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c := copy(p[n:], a.text[a.at:])
		n, a.at = n+c, (a.at+c)%len(a.text)
	}
	return n, nil
}

// formBombs: who may not log in, and who may.
func formBombs(g *siege) {
	o := operated(g.T, "--admin-listen", "127.0.0.1:0")
	o.wasgi("deploy", o.app("one\n")).exited(0)
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.Fatal(err)
	}
	v := visitor{g: g, client: &http.Client{Jar: jar}, origin: o.consoleAt()}
	const kind, mib = "multipart/form-data; boundary=x", 1 << 20
	field := func(name, value string) string {
		return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	bombs := func(secret string) map[string]io.Reader {
		after := func(head string, rest io.Reader) io.Reader {
			return io.MultiReader(strings.NewReader(field("form", secret)+head), rest)
		}
		return map[string]io.Reader{
			"many parts":             after("", many(field("a", "b"), 200_000)),
			"a part that is big":     after("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", many("a", 64*mib)),
			"a head that is big":     after("--x\r\nX: ", many("a", 64*mib)),
			"many heads":             after("--x\r\n", many("X: y\r\n", 2_000_000)),
			"no boundary":            after("", many("a", 64*mib)),
			"nothing but the secret": after("--x--\r\n", http.NoBody),
		}
	}
	refused := func(who, path string, bodies map[string]io.Reader) {
		for _, what := range slices.Sorted(maps.Keys(bodies)) {
			status, text := v.do("POST", path, kind, bodies[what])
			// 0 is the end of the connection while the rest is still being sent.
			toLogin := status == 200 && strings.Contains(text, `action="/console/login"`)
			if !toLogin && !slices.Contains([]int{0, 400, 401, 403, 405, 413, 415, 422}, status) {
				g.Errorf("%s, %s, %s: %d %.300s", who, path, what, status, text)
			}
		}
	}
	before := o.server.memory(g.T, "VmHWM")
	refused("a stranger", "/console/tenants/shop/deploy", bombs("guessed"))
	refused("a stranger", "/console/login", bombs("guessed"))
	refused("a stranger", "/v1/tenants/shop/releases", bombs("guessed"))
	v.login(o.token("--note", "bombs"))
	secret := v.secret("/console/tenants/shop")
	refused("an operator", "/console/tenants/shop/deploy", bombs(secret))
	refused("an operator", "/console/tenants/shop/deploy", bombs("guessed"))
	refused("an operator", "/console/tenants/shop/env", bombs(secret))
	if grown := o.server.memory(g.T, "VmHWM") - before; grown > 100*mib {
		g.Errorf("the host has grown by %d MiB", grown/mib)
	}
	o.browser("shop").get("/").status(200).text("one\n")
}

func staticBombs(g *siege) {
	const size = 100_000
	shown := strings.Repeat("0123456789", size/10)
	for name, text := range map[string]string{
		"wsgi.py": frontApp, "wasgi.toml": "[static]\n\"/static\" = \"assets\"\n[redirects]\n\"/old/*\" = \"/new/*\"\n", ".env": "SECRET=1\n",
		"assets/site.txt": shown, "assets/.env": "SECRET=2\n", "assets/.git/config": "SECRET=3\n", "assets/view.py": "SECRET = 4\n",
	} {
		write(g.T, g.root, "shop/"+name, text)
	}
	for link, target := range map[string]string{"up": "..", "code": "../wsgi.py", "passwd": "/etc/passwd"} {
		must(g.T, os.Symlink(target, filepath.Join(g.root, "shop/assets", link)))
	}
	g.names = append(g.names, "shop")
	s := g.serve()
	b := s.site(g.T, "shop").browser(g.T)
	b.get("/static/site.txt").status(200).text(shown)
	b.get("/static/site.txt", header("Range", "bytes=10-14")).status(206).text("01234")
	for what, ranges := range map[string]string{
		"the whole, many times":  strings.Repeat("0-,", 1000) + "0-",
		"one byte, many times":   strings.Repeat("0-0,", 1000) + "0-0",
		"many that overlap":      parts(600, func(i int) string { return fmt.Sprintf("%d-", i) }),
		"many bytes apart":       parts(600, func(i int) string { return fmt.Sprintf("%d-%d", 2*i, 2*i) }),
		"ends, many times":       strings.Repeat("-99999,", 1000) + "-1",
		"numbers without an end": "0-" + strings.Repeat("9", 4000),
		"backwards":              "5-1", "behind the end": "99999999-", "no numbers": "a-b", "negative": "--1",
	} {
		a := b.get("/static/site.txt", header("Range", "bytes="+ranges))
		if code := a.resp.StatusCode; code != 200 && code != 206 && code != 416 || len(a.body) > 3*size {
			g.Errorf("%s: %d with %d bytes of a file of %d", what, code, len(a.body), size)
		}
	}
	for _, path := range []string{
		".env", "view.py", ".git/config", "up/wsgi.py", "code", "passwd", "../.env", "..%2f.env", "%2e%2e/.env", "%2e%2e%2f.env", "..%5c.env", "%00.env", "site.txt%00", "./.env", "%2eenv",
		".%65nv", "/.env", "site.txt/../.env", "..;/.env", "....//.env",
	} {
		b.get("/static/"+path).lacks("SECRET", "root:", "def application")
	}
	for _, path := range []string{"/.env", "/wsgi.py", "/wasgi.toml", "/assets/.env"} {
		b.get(path).status(200).has("application /").lacks("SECRET", "def application")
	}
	headerIs(g.T, b.get("/old/x").status(302), "Location", "/shop/new/x")
	for _, path := range []string{"/old//evil.example/", "/old/%2f%2fevil.example", "/old/\\evil.example", "/old/%5cevil.example/.."} {
		a := b.get(path)
		if to := a.resp.Header.Get("Location"); to != "" && !strings.HasPrefix(to, "/shop/new/") {
			g.Errorf("%s leads to %q", path, to)
		}
	}
}

func parts(n int, part func(i int) string) string {
	out := make([]string, n)
	for i := range out {
		out[i] = part(i)
	}
	return strings.Join(out, ",")
}

func strangeNames(g *siege) {
	a, trusted := newCertAuthority(g.T)
	write(g.T, g.root, "shop/wsgi.py", source("shop\n"))
	write(g.T, g.root, "shop/wasgi.toml", "hosts = [\"shop.example\", \"*.shop.example\"]\n")
	g.names = append(g.names, "shop")
	own := certificate(g.T, "own.example")
	s := g.launch(launch{flags: append(own.flags(), "--listen", "http://127.0.0.1:0,https://127.0.0.1:0", "--acme",
		"--acme-ca", a.URL+"/dir", "--acme-root", trusted, "--acme-email", "admin@shop.example")})
	a.open(g.T, 1, 1) // it finds nobody: what is counted is who asks
	secure := s.addresses(g.T, 2)[1]
	shake := func(name string) {
		c, err := (&tls.Dialer{Config: &tls.Config{ServerName: name, InsecureSkipVerify: true}}).DialContext(g.Context(), "tcp", secure)
		if err == nil {
			_ = c.Close()
		}
	}
	before := a.orders.Load()
	for i := range 300 {
		shake(fmt.Sprintf("n%d.evil.example", i))
		shake(fmt.Sprintf("n%d.shop.example", i)) // a wildcard is no name
		shake(fmt.Sprintf("shop.example.n%d.evil.example", i))
	}
	for _, name := range []string{"localhost", "127.0.0.1", "xn--shop.example", "SHOP.example.evil.example", strings.Repeat("a.", 100) + "example"} {
		shake(name)
	}
	if orders := a.orders.Load() - before; orders != 0 {
		g.Errorf("%d orders for names that no manifest has", orders)
	}
	becomes(g.T, "the tenant's own name is ordered", func() bool { shake("shop.example"); return a.orders.Load() > before })
	g.note("900 names, no order")
}

// series are the names and labels of all that is counted.
func series(text string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(text) {
		if name, _, found := strings.Cut(strings.TrimSpace(line), " "); found && !strings.HasPrefix(line, "#") {
			out[name] = true
		}
	}
	return out
}

func metricFlood(g *siege) {
	socket := filepath.Join(g.TempDir(), "admin")
	write(g.T, g.root, "shop/wsgi.py", frontApp)
	g.names = append(g.names, "shop")
	s := g.serve("--admin-listen", "unix:"+socket)
	b := s.site(g.T, "shop").browser(g.T)
	nobody := *b
	nobody.site.prefix = ""
	flood := func(from, to int) {
		for i := from; i < to; i++ {
			b.send(fmt.Sprintf("METHOD%d", i), fmt.Sprintf("/%d?%d", i, i))
			b.get(fmt.Sprintf("/p%d", i), header("X-Request-Id", strconv.Itoa(i)), header("User-Agent", strconv.Itoa(i)))
			nobody.get(fmt.Sprintf("/nobody%d", i))
			nobody.get("/shop/", host(fmt.Sprintf("h%d.example", i)))
		}
	}
	admin := unixBrowser(g.T, s, socket)
	flood(0, 10)
	admin.get("/metrics") // it counts itself
	before := series(admin.get("/metrics").status(200).body)
	flood(10, 260)
	text := admin.get("/metrics").status(200).body
	if n := metric(g.T, text, `wasgi_requests_total{status="2xx",tenant="shop"}`); n < 260 {
		g.Errorf("%v requests were counted", n)
	}
	for name := range series(text) {
		if !before[name] {
			g.Errorf("a series more: %s", name)
		}
	}
	g.note("%d series", len(before))
}
