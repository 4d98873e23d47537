package console

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/console/browsertest"
)

// TestPictures shows all pages in all sizes and colours. It fails on what a page
// must not do; whether they look well is for people (WASGI_TEST_SCREENSHOTS).
func TestPictures(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := serving(t, f)
	b := browsertest.Open(t, s.URL)
	b.Go("/console")
	b.At("/console/login")
	b.Shot("login")
	b.Login(hostToken, "/console/")
	for _, at := range []struct {
		name          string
		width, height int64
		dark          bool
	}{{"desktop", 1366, 900, false}, {"desktop-dark", 1366, 900, true}, {"tablet", 820, 1100, false}, {"phone", 375, 800, false}, {"phone-dark", 375, 800, true}} {
		b.Size(at.width, at.height)
		b.Dark(at.dark)
		for _, page := range []struct{ name, path, text string }{
			{"tenants", "/console/", "Deploy an application"}, {"tenant", "/console/tenants/shop?past=6h", "Secrets"},
			{"failing", "/console/tenants/wiki", "markdown2"}, {"log", "/console/tenants/shop/log", "the bank says no"},
			{"remove", "/console/tenants/shop/remove", "What stays"}, {"tokens", "/console/tokens", "Make a token"},
		} {
			b.Go(page.path)
			b.Sees(page.text)
			browsertest.Is(b, "document.documentElement.scrollWidth <= innerWidth", true)
			b.Shot(page.name + "-" + at.name)
		}
	}
	b.Size(1366, 900)
	b.Dark(false)
	b.Go("/console/tenants/shop")
	b.Click(".behind summary")
	b.Click(".acts summary")
	b.Click("#releases tbody tr:nth-child(3) summary")
	b.Shot("opened")
	for _, at := range []struct {
		name  string
		width int64
	}{{"desktop", 1366}, {"tablet", 820}, {"phone", 375}} {
		b.Size(at.width, 900)
		b.Go("/console/tokens")
		b.Click(".new-token button")
		b.Sees("cannot be shown again")
		b.Click(".tokens tbody tr:nth-child(2) summary")
		browsertest.Is(b, "document.documentElement.scrollWidth <= innerWidth", true)
		b.Shot("token-made-" + at.name)
	}
	b.Expect("404")
	b.Go("/console/tenants/none")
	b.Sees("There is no such tenant.")
	b.Shot("problem")
}

func bundleFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "app.zip")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(file)
	if _, err := z.Create("wsgi.py"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestWithoutScripts does everything but follow a log.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := serving(t, f)
	b := browsertest.Open(t, s.URL)
	b.Scripts(false)
	b.Login(hostToken, "/console/tenants/shop")
	b.Sees("Reload the page for new lines")

	b.Click("#releases tbody tr:nth-child(3) summary")
	b.Click("#releases tbody tr:nth-child(3) button")
	b.At("/console/tenants/shop?done=release")
	b.Sees("The release serves now.")
	browsertest.Is(b, "document.querySelector('#releases .current code').title", rel(2))

	b.Type("form[action$='/env'].pair input[name=name]", "GREETING")
	b.Type("form[action$='/env'].pair textarea", "good day")
	b.Click("form[action$='/env'].pair button")
	b.At("/console/tenants/shop?done=env")
	b.Sees("GREETING")
	b.Type("form[action$='/secrets'].pair input[name=name]", "API_KEY")
	b.Type("form[action$='/secrets'].pair input[type=password]", "hush")
	b.Click("form[action$='/secrets'].pair button")
	b.At("/console/tenants/shop?done=secrets")
	b.Sees("API_KEY")
	b.Lacks("hush")
	b.Click(".acts summary")
	b.Click(".acts button")
	b.At("/console/tenants/shop?done=stop")
	b.Click(".acts button")
	b.At("/console/tenants/shop?done=start")

	b.Choose("#releases input[type=file]", bundleFile(t))
	b.Click("#releases .deploy button")
	b.At("/console/tenants/shop/deploy")
	b.Sees("The release serves now.")
	b.Sees("switching")
	b.Shot("deploying")
	b.Click(".button")
	b.At("/console/tenants/shop")
	want := []string{
		"rollback to " + digest(rel(2)) + " of shop at 7", `env map["GREETING":"good day"] [] of shop at 8`, `secrets map["API_KEY":"hush"] [] of shop at 9`,
		"stop shop at 10", "start shop at 11", "upload", "deploy " + digest(rel(77)) + " to shop at 13",
	}
	got := f.called()
	for i, call := range got {
		if strings.HasPrefix(call, "upload") {
			got[i] = "upload"
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	b.Click("header button")
	b.At("/console/login")
}

// TestLive follows a log, with a keyboard alone.
func TestLive(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := serving(t, f)
	b := browsertest.Open(t, s.URL)
	b.Login(shopReader, "/console/tenants/shop")
	b.Holds("document.querySelector('[data-live-state]').textContent === 'live'")
	f.say("shop", "a new line "+evil)
	b.Sees(`a new line <script>alert(1)</script>"'&\x1b[31mred\u202eevil`)
	browsertest.Is(b, "document.querySelectorAll('.log li').length", 7)
	browsertest.Is(b, "document.querySelector('.log script') === null", true)
	browsertest.Is(b, "document.querySelectorAll('form').length", 1) // only that of the log out

	b.Press("\t")
	browsertest.Is(b, "document.activeElement.className", "skip")
	for range 2 { // the mark, the tenant
		b.Press("\t")
	}
	browsertest.Is(b, "document.activeElement.textContent", "shop")
	b.Press("\t")
	browsertest.Is(b, "document.activeElement.textContent", "Log out")
	b.Press("\r")
	b.At("/console/login")
}

// TestLiveNetwork shows what a tenant does with the network, and keeps it fresh.
func TestLiveNetwork(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := serving(t, f)
	b := browsertest.Open(t, s.URL)
	b.Login(shopReader, "/console/tenants/shop")
	at := func(id string) string { return "document.querySelector('#state #" + id + " dd').textContent" }
	browsertest.Is(b, at("network"), "4 connections open of 10\u2009412 begun, 17 refused")
	browsertest.Is(b, at("carried"), "3 MiB, 5 GiB")
	browsertest.Is(b, at("pool"), "1 used, 3 idle of 8")
	f.mu.Lock()
	status := f.statuses["shop"]
	status.Network = &api.Network{Open: 0, Opened: 10413, Refused: 18, Sent: 4 << 20, Received: 5 << 30}
	f.statuses["shop"] = status
	f.mu.Unlock()
	browsertest.Is(b, "refresh() === undefined", true) // which a page does every 15 s
	b.Holds(at("network") + " === '0 connections open of 10\u2009413 begun, 18 refused'")
	browsertest.Is(b, at("carried"), "4 MiB, 5 GiB")
	browsertest.Is(b, "document.querySelector('#pool') === null", true)
}

// TestTokensInBrowser makes a token, which is shown once and works, and revokes it
// and the session's own; a tenant goes once its name was typed. No script runs.
func TestTokensInBrowser(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := serving(t, f)
	b := browsertest.Open(t, s.URL)
	b.Scripts(false)
	b.Login(hostToken, "/console/")
	b.Click("header a[href='/console/tokens']")
	b.At("/console/tokens")
	b.Type(".new-token input[name=tenant]", "shop")
	b.Type(".new-token input[name=note]", "night shift")
	b.Click(".new-token button")
	b.Sees("cannot be shown again")
	secret := "wasgi_000000000ac0_" + strings.Repeat("k3yM", 10)
	browsertest.Is(b, "document.querySelector('.token').textContent", secret)
	member(t, s, secret).get("/console/tenants/shop").is(200)
	b.Go("/console/tokens")
	b.Sees("night shift")
	b.Lacks("k3yM")
	b.Click(".tokens tbody tr:first-child summary")
	b.Click(".tokens tbody tr:first-child button")
	b.At("/console/tokens?done=revoked")
	b.Sees("The token is revoked.")
	b.Lacks("night shift")

	b.Go("/console/tenants/shop")
	b.Click(".acts a")
	b.At("/console/tenants/shop/remove")
	b.Click(".tick input")
	b.Type(".removal input[name=name]", "shop")
	b.Click(".removal button")
	b.At("/console/?done=removed")
	b.Sees("The tenant is removed.")
	browsertest.Is(b, "document.querySelector(\"a[href='/console/tenants/shop']\") === null", true)

	b.Go("/console/tokens")
	b.Click(".tokens tbody tr:first-child summary") // the session's own is the newest
	b.Sees("you are logged out")
	b.Click(".tokens tbody tr:first-child button")
	b.At("/console/login?then=%2Fconsole%2Ftokens%3Fdone%3Drevoked")
	want := []string{`token "night shift" "shop" true 2027-02-23T19:42:30Z`, "revoke 000000000ac0", "remove (data true) shop at 7", "revoke 0a1b2c3d4e5f"}
	if got := f.called(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
