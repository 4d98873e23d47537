//go:build !linux

package listen

// FileLimit is 0: it cannot be told.
func FileLimit() uint64 { return 0 }

// ReserveFiles does nothing: there is no such table.
func ReserveFiles() error { return nil }
