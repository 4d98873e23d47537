//go:build !linux

package giveway

import "runtime"

// Junction is ready for use, and safe for concurrent use.
type Junction struct{}

// Yield is runtime.Gosched here: requests of others may wait 10 ms.
func (j *Junction) Yield() { runtime.Gosched() }

// Close does nothing here.
func (j *Junction) Close() {}
