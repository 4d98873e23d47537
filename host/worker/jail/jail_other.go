//go:build !linux

package jail

import "errors"

// Enter fails: workers run on Linux only.
func Enter(Spec) (Report, error) { return Report{}, errors.New("jail: workers run on Linux only") }
