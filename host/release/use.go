package release

import (
	"errors"
	"os"
)

// Use keeps folders from being removed by Collect and whoever else asks InUse,
// until Close. The locks are the kernel's: they hold across processes, such as a
// predecessor that drains its last requests, and end with their process.
type Use struct{ folders []*os.File }

// Hold begins to use folders: those of a release, and of its packages. It fails as
// the file system does; nothing is held then.
func Hold(dirs ...string) (*Use, error) {
	u := &Use{}
	for _, dir := range dirs {
		f, err := lockFolder(dir)
		if err != nil {
			return nil, errors.Join(err, u.Close())
		}
		u.folders = append(u.folders, f)
	}
	return u, nil
}

// Close ends the use. nil uses nothing.
func (u *Use) Close() error {
	if u == nil {
		return nil
	}
	var errs []error
	for _, f := range u.folders {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// InUse says whether anybody holds a folder.
func InUse(dir string) bool { return locked(dir) }
