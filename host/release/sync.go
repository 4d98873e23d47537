package release

import (
	"errors"
	"os"
)

// syncFolder waits until the names in a folder, or the bytes of a file, are on
// the medium.
func syncFolder(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
