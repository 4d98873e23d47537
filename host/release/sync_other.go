//go:build !linux

package release

import (
	"io/fs"
	"path/filepath"
)

// syncTree waits until everything below dir is on the medium.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncFolder(name)
	})
}
