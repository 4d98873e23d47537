package host

import "context"

// permits bound how many tenants are prepared at once: so many, and as many
// again for those that requests wait for. A host that starts with ten thousand
// tenants makes some of them for minutes; who is asked for goes first.
type permits struct {
	any    chan struct{}
	called chan struct{} // for a site with a request only
}

func newPermits(n int) permits {
	return permits{make(chan struct{}, n), make(chan struct{}, n)}
}

// busy says whether a tenant is being prepared.
func (p permits) busy() bool { return len(p.any)+len(p.called) > 0 }

// take waits for a permit. called gets something when a request begins to wait.
// release gives the permit back; the error is why ctx ended.
func (p permits) take(ctx context.Context, called <-chan struct{}) (release func(), err error) {
	select {
	case p.any <- struct{}{}:
		return func() { <-p.any }, nil
	case <-called:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case p.any <- struct{}{}:
		return func() { <-p.any }, nil
	case p.called <- struct{}{}:
		return func() { <-p.called }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
