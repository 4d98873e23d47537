package registry

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/host/store"
	"github.com/wasgi/wasgi/host/store/bolt"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T) Registry {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "state.db"), nil)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return Registry{s}
}

func at(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }

func TestTenant(t *testing.T) {
	r := open(t)
	none, err := r.Tenant(t.Context(), "shop")
	must(t, err)
	if !none.Empty() || none.Name != "shop" || none.Revision != 0 {
		t.Errorf("%+v", none)
	}
	first, err := r.Put(t.Context(), none, func(x *Tenant) {
		x.Add(Release{Digest: "aa1", Created: at(1), Files: 2, Bytes: 3, By: "me"})
		x.Deploy("aa1", "p1", at(2))
		x.Env = map[string]string{"A": "1"}
		x.Secrets = map[string][]byte{"S": {1, 2}}
	})
	must(t, err)
	read, err := r.Tenant(t.Context(), "shop")
	must(t, err)
	want := Tenant{
		Name: "shop", Current: "aa1", Env: map[string]string{"A": "1"}, Secrets: map[string][]byte{"S": {1, 2}}, Revision: first.Revision,
		Releases: []Release{{Digest: "aa1", Created: at(1), Files: 2, Bytes: 3, By: "me", Deployed: at(2), Packages: "p1"}},
	}
	if diff := cmp.Diff(want, read); diff != "" || none.Env != nil {
		t.Error(diff)
	}
	if _, err := r.Put(t.Context(), none, func(x *Tenant) { x.Stopped = true }); !errors.Is(err, store.ErrConflict) {
		t.Errorf("an old revision: %v", err)
	}
	all, err := r.Tenants(t.Context())
	if diff := cmp.Diff([]Tenant{want}, all); diff != "" || err != nil {
		t.Error(diff, err)
	}
	last, err := r.Put(t.Context(), read, func(x *Tenant) { *x = Tenant{Name: x.Name, Revision: x.Revision} })
	must(t, err)
	if all, err := r.Tenants(t.Context()); err != nil || len(all) != 0 || last.Revision != 0 {
		t.Errorf("an empty tenant has an entry: %+v, %+v, %v", all, last, err)
	}
}

func TestReleases(t *testing.T) {
	x := Tenant{Name: "shop"}
	for i, digest := range []string{"aa1", "aa2", "bb3", "cc4"} {
		x.Add(Release{Digest: digest, Created: at(i)})
	}
	list := func() string {
		var out []string
		for _, r := range x.Releases {
			out = append(out, r.Digest)
		}
		return strings.Join(out, " ")
	}
	if list() != "cc4 bb3 aa2 aa1" {
		t.Error(list())
	}
	for prefix, want := range map[string]string{"b": "bb3", "aa2": "aa2", "a": "", "d": "", "": ""} {
		if r, err := x.Release(prefix); r.Digest != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", prefix, r.Digest, err)
		}
	}
	if _, err := x.Previous(); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before any has served: %v", err)
	}
	x.Deploy("aa1", "", at(10))
	x.Deploy("cc4", "", at(11))
	if r, err := x.Previous(); err != nil || r.Digest != "aa1" {
		t.Errorf("%+v, %v", r, err)
	}
	x.Add(Release{Digest: "aa1", Created: at(12)}) // uploaded again
	if list() != "aa1 cc4 bb3 aa2" || !x.Releases[0].Deployed.Equal(at(10)) {
		t.Errorf("%+v", x.Releases)
	}
	x.Keep(2)
	if list() != "aa1 cc4" {
		t.Error(list())
	}
	x.Keep(1)
	if list() != "cc4" {
		t.Error("the current one is kept: ", list())
	}
}

func TestVault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret.key")
	v, err := OpenVault(file)
	must(t, err)
	sealed := v.Seal("shop", "KEY", "hush")
	if bytes.Contains(sealed, []byte("hush")) || bytes.Equal(sealed, v.Seal("shop", "KEY", "hush")) {
		t.Errorf("%x", sealed)
	}
	again, err := OpenVault(file)
	must(t, err)
	if value, err := again.Open("shop", "KEY", sealed); err != nil || value != "hush" {
		t.Errorf("%q, %v", value, err)
	}
	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	for _, c := range []struct {
		tenant, name string
		sealed       []byte
	}{{"other", "KEY", sealed}, {"shop", "OTHER", sealed}, {"shop", "KEY", damaged}, {"shop", "KEY", nil}} {
		if _, err := v.Open(c.tenant, c.name, c.sealed); err == nil || !strings.Contains(err.Error(), "cannot be opened with this key") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	must(t, os.Chmod(file, 0o640))
	if _, err := OpenVault(file); err == nil || !strings.Contains(err.Error(), "can be read by others") {
		t.Error(err)
	}
	must(t, os.Chmod(file, 0o600))
	must(t, os.WriteFile(file, []byte("short\n"), 0o600))
	if _, err := OpenVault(file); err == nil || !strings.Contains(err.Error(), "does not hold 64 hexadecimal digits") {
		t.Error(err)
	}
}

func TestTokens(t *testing.T) {
	r := open(t)
	token, text, err := r.NewToken(t.Context(), Token{Note: "CI", Tenant: "shop", Reads: true, Created: at(1), Expires: at(30)})
	must(t, err)
	found, err := r.Authenticate(t.Context(), text, at(29))
	if diff := cmp.Diff(token, found); diff != "" || err != nil {
		t.Error(diff, err)
	}
	entry, err := r.Store.Get(t.Context(), "tokens/"+token.ID)
	must(t, err)
	secret := text[strings.LastIndexByte(text, '_')+1:]
	if len(secret) != 64 || strings.Contains(string(entry.Value), secret) {
		t.Errorf("the store holds the secret: %s", entry.Value)
	}
	for _, bad := range []string{"", "wasgi_", secret, text + "0", text[:len(text)-1], strings.Replace(text, token.ID, "000000000000", 1), "wasgi_../../../../_x", strings.ToUpper(text)} {
		if _, err := r.Authenticate(t.Context(), bad, at(2)); !errors.Is(err, ErrToken) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := r.Authenticate(t.Context(), text, at(30)); !errors.Is(err, ErrToken) {
		t.Errorf("expired: %v", err)
	}
	if all, err := r.Tokens(t.Context()); err != nil || len(all) != 1 || all[0].ID != token.ID {
		t.Errorf("%+v, %v", all, err)
	}
	must(t, r.RemoveToken(t.Context(), token.ID))
	if err := r.RemoveToken(t.Context(), token.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if _, err := r.Authenticate(t.Context(), text, at(2)); !errors.Is(err, ErrToken) {
		t.Errorf("removed: %v", err)
	}
}
