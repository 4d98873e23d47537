package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestIsolation tells what one request sees of another: all of /data in both
// isolations, module globals in reuse only, random state never.
func TestIsolation(t *testing.T) {
	t.Parallel()
	w, root, state := newWorld(t), t.TempDir(), t.TempDir()
	reuse := w.app(t, root, "counter")
	fresh := filepath.Join(root, "fresh")
	copyTree(t, reuse, fresh)
	prepend(t, fresh, "isolation = \"fresh\"\n")
	s := w.serve(t, launch{root: root, state: state}, "counter", "fresh")
	b := s.site(t, "counter").browser(t)
	b.get("/").status(200).text("1 in memory, 1 in /data\n")
	b.get("/").status(200).text("2 in memory, 2 in /data\n")
	b.get("/").status(200).text("3 in memory, 3 in /data\n")
	dealsOnce(b)
	b = s.site(t, "fresh").browser(t)
	b.get("/").status(200).text("1 in memory, 1 in /data\n")
	b.get("/").status(200).text("1 in memory, 2 in /data\n")
	b.get("/").status(200).text("1 in memory, 3 in /data\n")
	dealsOnce(b)

	if err := s.terminate(t); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	s = w.serve(t, launch{root: root, state: state}, "counter", "fresh")
	for _, tenant := range []string{"counter", "fresh"} {
		s.site(t, tenant).browser(t).get("/").status(200).text("1 in memory, 4 in /data\n")
	}
}

// dealsOnce asks for random values and the time; none may come twice.
func dealsOnce(b *browser) {
	b.t.Helper()
	dealt := map[string]bool{}
	for range 4 {
		for value := range strings.Lines(b.get("/random").status(200).body) {
			if dealt[value] {
				b.t.Errorf("%s dealt %q twice", b.site.tenant, value)
			}
			dealt[value] = true
		}
	}
	if len(dealt) != 4*6 {
		b.t.Errorf("%s dealt %d values, want %d", b.site.tenant, len(dealt), 4*6)
	}
}

// TestStreaming reads each piece of a response before it lets the application
// make the next.
func TestStreaming(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	reuse := w.app(t, root, "steps")
	fresh := filepath.Join(root, "fresh")
	copyTree(t, reuse, fresh)
	prepend(t, fresh, "isolation = \"fresh\"\n")
	s := w.serve(t, launch{root: root}, "steps", "fresh")
	for _, tenant := range []string{"steps", "fresh"} {
		t.Run(tenant, func(t *testing.T) { streamSteps(t, s.site(t, tenant)) })
	}
}

func streamSteps(t *testing.T, s site) {
	b := s.browser(t)
	answer := b.begin("/stream").expect("step 1\n")
	b.get("/ask?2").status(200).text("asked\n")
	answer.expect("step 2\n")
	b.get("/ask?3").status(200).text("asked\n")
	answer.expect("step 3\n").ends()
}
