package host

import (
	"errors"
	"testing"
)

// TestReadinessIsNoTenantsToTake: an application that fails and is tried again,
// and one that is new, start while the host has long been serving others.
func TestReadinessIsNoTenantsToTake(t *testing.T) {
	release := make(chan struct{})
	r := start(t, setup{app: sayVersion, maker: func(m *fakeMaker) {
		m.building = func(_ application, version string) error {
			if version == "broken" {
				return errors.New("cannot import")
			}
			if version == "hangs" {
				<-release
			}
			return nil
		}
	}, tenants: []string{"good"}, edit: func(c *Config) { c.Builders = 2 }})
	r.ready("good")
	r.write("bad", "broken")
	r.event(EventFailed, "bad")
	r.write("bad", "hangs") // the second attempt
	r.event(EventProgress, "bad")
	if err := r.host.readiness(); err != nil {
		t.Errorf("while a failed application is tried again: %v", err)
	}
	r.write("new", "hangs")
	r.event(EventProgress, "new")
	if err := r.host.readiness(); err != nil {
		t.Errorf("while a new application starts: %v", err)
	}
	close(release)
	r.ready("bad", "new")
}
