package e2e

import (
	"net"
	"path/filepath"
	"testing"
)

// TestNotes is the example on PostgreSQL with sessions in Redis, in both
// isolations: several people, texts of every kind, and databases that are away.
func TestNotes(t *testing.T) {
	t.Parallel()
	database, sessions := postgres(t), redisServer(t)
	w, root := newWorld(t), t.TempDir()
	reuse, fresh := filepath.Join(root, "pad"), filepath.Join(root, "pad-fresh")
	copyTree(t, w.example("notes"), reuse)
	write(t, reuse, "wasgi.toml", "[network]\nallow = [\""+database+"\", \""+sessions+"\"]\n[env]\nDATABASE_URL = \"postgresql://wasgi:secret@"+
		database+"/postgres\"\nREDIS_URL = \"redis://"+sessions+"/0\"\n")
	copyTree(t, reuse, fresh)
	prepend(t, fresh, "isolation = \"fresh\"\npaths = [\"/\"]\n")
	away := filepath.Join(root, "away")
	copyTree(t, w.example("notes"), away)
	nobody := "127.0.0.1:" + freePort(t)
	write(t, away, "wasgi.toml", "[network]\nallow = [\""+nobody+"\"]\n[env]\nREDIS_URL = \"redis://"+nobody+"/0\"\n")
	s := w.serve(t, launch{root: root, flags: []string{"--egress", "127.0.0.1:*"}}, "pad", "pad-fresh", "away")
	for _, c := range []struct{ tenant, prefix string }{{"pad", "/pad"}, {"pad-fresh", ""}} {
		t.Run(c.tenant, func(t *testing.T) { keepNotes(t, mounted(t, s.site(t, c.tenant), c.prefix), c.tenant) })
	}
	_, port, _ := net.SplitHostPort(nobody)
	s.site(t, "away").browser(t).post("/login", "name", "Ada").status(503).
		text("A database cannot be reached: Error 14 connecting to 127.0.0.1:" + port + ". Connection refused.\n")
}

func keepNotes(t *testing.T, s site, who string) {
	ada, bob := s.browser(t), s.browser(t)
	ada.get("/").status(200).has("Your name").lacks("<ul>")
	ada.post("/notes", "text", "too early").status(403)
	ada.post("/login", "name", "").status(400)
	ada.post("/login", "name", "Ada "+who).redirect(302, s.prefix+"/")
	ada.get("/").status(200).has("Welcome, Ada "+who+".", "Notes of Ada "+who)
	ada.get("/").status(200).lacks("Welcome")
	ada.post("/notes", "text", "naïve <b>café</b> ✓").redirect(302, s.prefix+"/")
	ada.post("/notes", "text", "second").redirect(302, s.prefix+"/")
	ada.get("/").status(200).ordered("<li>second", "<li>naïve &lt;b&gt;café&lt;/b&gt; ✓")
	bob.post("/login", "name", "Bob "+who).redirect(302, s.prefix+"/")
	bob.get("/").status(200).has("Notes of Bob " + who).lacks("second")
	bob.post("/notes/999999/delete").status(404)
	ada.post("/logout").redirect(302, s.prefix+"/")
	ada.get("/").status(200).has("Your name").lacks("second")
	bob.get("/").status(200).has("Notes of Bob " + who)
}
