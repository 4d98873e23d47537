package host

import (
	"context"
	"sync"

	"github.com/wasgi/wasgi/tenants"
)

// verification is a look at the files of a wish.
type verification struct {
	fingerprint string
	stamp       tenants.Stamp // before the look; nil when it was over at once
	// wait returns why the files are not what they must be.
	wait func() error
}

// verify begins a verification. Of a release that was deployed the fingerprint is
// known, and only has to be right: that is found out beside the boot, which no
// outcome of it can hurt, and cancel ends the boot when it is wrong. The caller waits
// before anything serves, and in any case. Other folders are read at once.
func (f *fleet) verify(w wish, cancel context.CancelCauseFunc) (v verification, err error) {
	if w.pinned == "" {
		v.fingerprint, err = f.fingerprint(w)
		v.wait = func() error { return nil }
		return v, err
	}
	if v.stamp, err = tenants.TakeStamp(w.tenant.Dir); err != nil {
		return v, err
	}
	found := make(chan error, 1)
	go func() { // ends with the folder
		_, err := f.fingerprint(w)
		if err != nil {
			cancel(err)
		}
		found <- err
	}()
	v.fingerprint, v.wait = w.pinned, sync.OnceValue(func() error { return <-found })
	return v, nil
}

// unchanged says whether the files are those that the image was built from. A stamp
// is enough where nobody writes.
func (f *fleet) unchanged(a application) error {
	if a.stamp == nil {
		now, err := f.fingerprint(wish{tenant: a.tenant, pinned: a.pinned})
		if err == nil && now != a.fingerprint {
			err = errChanged
		}
		return err
	}
	now, err := tenants.TakeStamp(a.tenant.Dir)
	if err == nil && len(a.stamp.Changed(now)) > 0 {
		err = errChanged
	}
	return err
}
