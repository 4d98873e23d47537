package host

import (
	"context"
	"sync"

	"github.com/wasgi/wasgi/tenants"
)

// verification is a look at the files of a wish.
type verification struct {
	folder      string // where the links of the folder led before that
	fingerprint string
	// wait returns why the files are not what they must be. stamp is from before they
	// were read, nil when that was over at once.
	wait func() (stamp tenants.Stamp, err error)
}

// readJustNow is the wait of a verification that is over.
func readJustNow() (tenants.Stamp, error) { return nil, nil }

// verify begins a verification. Of a release that was deployed the fingerprint is
// known, and only has to be right: that is found out beside the boot, which no
// outcome of it can hurt, and cancel ends the boot when it is wrong. The caller waits
// before anything serves, and in any case. Other folders are read at once.
func (f *fleet) verify(w wish, cancel context.CancelCauseFunc) (v verification, err error) {
	v.folder = followed(w.tenant.Dir)
	if w.pinned == "" {
		v.fingerprint, err = f.fingerprint(w)
		v.wait = readJustNow
		return v, err
	}
	v.fingerprint = w.pinned
	v.wait = sync.OnceValues(func() (tenants.Stamp, error) {
		stamp, err := tenants.TakeStamp(w.tenant.Dir)
		if err == nil {
			_, err = f.fingerprint(w)
		}
		if err != nil {
			cancel(err)
		}
		return stamp, err
	})
	go v.wait() // ends with the folder
	return v, nil
}

// unchanged says whether the files are those that the image was built from. A stamp
// is enough where nobody writes.
func (f *fleet) unchanged(a application) error {
	stamp, err := a.verified()
	switch {
	case err != nil:
		return err
	case stamp == nil:
		now, err := f.fingerprint(wish{tenant: a.tenant, pinned: a.pinned})
		if err == nil && now != a.fingerprint {
			err = errChanged
		}
		return err
	}
	now, err := tenants.TakeStamp(a.tenant.Dir)
	if err == nil && len(stamp.Changed(now)) > 0 {
		err = errChanged
	}
	return err
}
