//go:build !linux

package giveway

// Junction is safe for concurrent use.
type Junction struct{}

// New makes a Junction.
func New() *Junction { return &Junction{} }

// Yield does nothing here: requests of others may wait 10 ms.
func (j *Junction) Yield() {}

// YieldIfBusy does nothing here.
func (j *Junction) YieldIfBusy() {}

// Look does nothing here.
func (j *Junction) Look() {}

// Close does nothing here.
func (j *Junction) Close() {}
