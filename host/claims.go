package host

import (
	"errors"
	"sync"

	"github.com/wasgi/wasgi/host/policy"
)

// claims are the data folders that this process uses. Each stays claimed until
// the host ends: instances of a retired release may still write.
type claims struct {
	mu   sync.Mutex
	held map[string]*policy.Claim // by folder
}

func (c *claims) take(dir string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[dir] != nil {
		return nil
	}
	claim, err := policy.ClaimData(dir)
	if err != nil {
		return err
	}
	if c.held == nil {
		c.held = map[string]*policy.Claim{}
	}
	c.held[dir] = claim
	return nil
}

func (c *claims) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, claim := range c.held {
		errs = append(errs, claim.Close())
	}
	clear(c.held)
	return errors.Join(errs...)
}
