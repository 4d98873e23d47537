//go:build !linux

package giveway

import "runtime"

// Junction is safe for concurrent use.
type Junction struct{}

// New makes a Junction.
func New() *Junction { return &Junction{} }

// Yield is runtime.Gosched here: requests of others may wait 10 ms.
func (j *Junction) Yield() { runtime.Gosched() }

// Close does nothing here.
func (j *Junction) Close() {}
