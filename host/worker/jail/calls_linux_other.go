//go:build linux && !amd64 && !arm64

package jail

// architecture is zero where nobody has checked the list of calls.
const architecture = 0

func allowed(uint32) []rule { return nil }
