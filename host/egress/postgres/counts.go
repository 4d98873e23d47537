package postgres

// Counts are what a pool has done and how it stands. The counters never go back.
type Counts struct {
	Size, Idle, Used, Waiting int // connections it may have, has idle and in use; sessions that wait for one

	Logins    uint64 // connections that were made
	Failed    uint64 // that could not be made, wrong passwords among them
	Reused    uint64 // sessions that got an idle connection
	Waits     uint64 // sessions that had to wait for room
	Exhausted uint64 // those that waited in vain
	Dead      uint64 // idle connections that the server had ended
	Expired   uint64 // idle connections that were closed for their age
	Dropped   uint64 // connections that could not be reset, or were in the middle of something
}

// Add adds up.
func (c *Counts) Add(o Counts) {
	c.Size += o.Size
	c.Idle += o.Idle
	c.Used += o.Used
	c.Waiting += o.Waiting
	c.Logins += o.Logins
	c.Failed += o.Failed
	c.Reused += o.Reused
	c.Waits += o.Waits
	c.Exhausted += o.Exhausted
	c.Dead += o.Dead
	c.Expired += o.Expired
	c.Dropped += o.Dropped
}

// Counts is how the pool stands.
func (p *Pool) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.counts
	c.Size, c.Idle, c.Used, c.Waiting = p.config.Size, len(p.idle), p.used, p.waiting
	return c
}
