package host

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
)

func TestLinkAdvice(t *testing.T) {
	app := &tenants.Tenant{Dir: t.TempDir()}
	missing := &sandbox.Error{Kind: sandbox.KindException, Op: "load", Tenant: "a"}
	if got := withLinkAdvice(missing, app); got != error(missing) {
		t.Errorf("without links: %v", got)
	}
	if err := os.Symlink("/", filepath.Join(app.Dir, "lib")); err != nil {
		t.Fatal(err)
	}
	want := "sandbox: a: load: exception; the application sees nothing outside of its folder, where these links lead: lib → /: put there what it needs"
	if got := withLinkAdvice(missing, app); got.Error() != want || !errors.Is(got, missing) {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	for _, other := range []error{nil, errChanged, &sandbox.Error{Kind: sandbox.KindTimeout}} {
		if got := withLinkAdvice(other, app); got != other {
			t.Errorf("got %v, want %v", got, other)
		}
	}
}
