package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAllPages: commands show lists that take several pages of the API.
func TestAllPages(t *testing.T) {
	t.Parallel()
	o := operated(t)
	o.wasgi("token", "ls", "--json").wrote(0, "[]\n", "")
	o.wasgi("tenants", "ls", "--json").wrote(0, "[]\n", "")
	socket := filepath.Join(o.state, "api.sock")
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	t.Cleanup(client.CloseIdleConnections)
	var want []string
	for n := range 1001 { // of 500 each
		note := fmt.Sprintf("%04d", n)
		want = append(want, note)
		res, err := client.Post("http://localhost/v1/tokens", "application/json", strings.NewReader(`{"note":"`+note+`"}`))
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != http.StatusCreated {
			t.Fatal(res.Status)
		}
	}
	var list []struct{ ID, Note string }
	decode(t, o.wasgi("token", "ls", "--json").exited(0).stdout, &list)
	var got []string
	for _, one := range list {
		got = append(got, one.Note)
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%d tokens are listed, want %d", len(got), len(want))
	}
}
