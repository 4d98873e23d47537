package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
)

// withLinkAdvice names the links that may be why an application does not start: other
// servers follow them, and here nothing is outside of its folder.
func withLinkAdvice(err error, t *tenants.Tenant) error {
	var e *sandbox.Error
	if t == nil || !errors.As(err, &e) || e.Kind != sandbox.KindException && e.Kind != sandbox.KindInvalid {
		return err
	}
	links := tenants.LinksOutside(t.Dir, t.PythonPath())
	if len(links) == 0 {
		return err
	}
	return fmt.Errorf("%w; the application sees nothing outside of its folder, where these links lead: %s: put there what it needs",
		err, strings.Join(links, ", "))
}
