package e2e

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestSQLiteLosesNothing has several instances of one tenant write to one
// database at once, while some of them are killed in the middle of a
// transaction: by force, and by wasgi.TimeOver, which sqlite3 may or may not
// see. Every entry that was answered is there, none of a transaction that did
// not end is, and the file is whole.
func TestSQLiteLosesNothing(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	for name, grace := range map[string]string{"forced": "0s", "asked": "2s"} {
		folder := w.app(t, root, "ledger")
		copyTree(t, folder, root+"/"+name)
		write(t, root+"/"+name, "wasgi.toml", "[instances]\nmax = 4\n[limits]\nrequest_timeout = \"2s\"\ngrace = \""+grace+"\"\n")
	}
	s := w.serve(t, launch{root: root}, "ledger", "forced", "asked")
	for _, tenant := range []string{"forced", "asked"} {
		t.Run(tenant, func(t *testing.T) { keepBooks(t, s.site(t, tenant)) })
	}
	// Write-ahead logging needs memory that processes share, which a guest has
	// not: SQLite stays with the journal that it has.
	b := s.site(t, "ledger").browser(t)
	b.get("/mode/wal").status(200).text("delete")
	b.get("/add/1").status(200).text("1")
	b.get("/").status(200).text("ok\n1")
}

func keepBooks(t *testing.T, s site) {
	clients, each := 4, 10
	if allAttacks() {
		clients, each = 8, 60
	}
	var mu sync.Mutex
	answered, doubtful := map[string]bool{}, map[string]bool{}
	var group sync.WaitGroup
	for client := range clients {
		b := s.browser(t)
		group.Go(func() {
			for n := range each {
				name := fmt.Sprintf("%d-%d", client, n)
				if n%10 == client {
					want(t, ask(t, b, "/die/"+name), http.StatusGatewayTimeout)
					continue
				}
				status := ask(t, b, "/add/"+name)
				mu.Lock()
				answered[name] = status == http.StatusOK
				doubtful[name] = status != http.StatusOK
				mu.Unlock()
			}
		})
	}
	group.Wait()
	verdict, list, _ := strings.Cut(s.browser(t).get("/").status(200).body, "\n")
	if verdict != "ok" {
		t.Errorf("PRAGMA integrity_check says %s", verdict)
	}
	there := map[string]bool{}
	for name := range strings.SplitSeq(list, "\n") {
		there[name] = true
		if !answered[name] && !doubtful[name] {
			t.Errorf("%s is there and was never committed", name)
		}
	}
	unanswered := 0
	for _, name := range slices.Sorted(maps.Keys(answered)) {
		if answered[name] && !there[name] {
			t.Errorf("%s was answered and is not there", name)
		}
		if !answered[name] {
			unanswered++
		}
	}
	if len(answered)-unanswered < len(answered)/2 {
		t.Errorf("%d of %d were not answered: the test shows little", unanswered, len(answered))
	}
	t.Logf("%d entries, %d not answered in time", len(there), unanswered)
}

func want(t *testing.T, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("status %d, want %d", got, want)
	}
}

// ask may be called from other goroutines than the test's.
func ask(t *testing.T, b *browser, path string) int {
	resp, err := b.client.Do(b.request(http.MethodGet, path))
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return resp.StatusCode
}
