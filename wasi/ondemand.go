package wasi

import (
	"io"
	"sync"
)

// OnDemand mounts a file system that all sandboxes share and that is open while one of them is: a host with thousands
// of applications that sleep needs no descriptors for them. open is called, and what it returns closed, before OnDemand
// returns, so that a folder that cannot be opened is known at once; later errors are those of NewSandbox.
func OnDemand(guest string, open func() (FS, error)) (Mount, error) {
	m := OnDemandUnseen(guest, open)
	if _, err := m.Open(); err != nil {
		return Mount{}, err
	}
	return m, m.Close()
}

// OnDemandUnseen is OnDemand for what was opened before: it is not opened now.
func OnDemandUnseen(guest string, open func() (FS, error)) Mount {
	shared := &onDemand{open: open}
	return Mount{Guest: guest, Open: shared.enter, Close: shared.leave}
}

// onDemand counts who uses a file system.
type onDemand struct {
	open func() (FS, error)

	mu    sync.Mutex // guards all below; held while it is opened and closed
	fs    FS         // nil while nobody uses it
	users int
}

func (o *onDemand) enter() (FS, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users == 0 {
		fs, err := o.open()
		if err != nil {
			return nil, err
		}
		o.fs = fs
	}
	o.users++
	return o.fs, nil
}

func (o *onDemand) leave() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users--; o.users > 0 {
		return nil
	}
	fs := o.fs
	o.fs = nil
	if c, ok := fs.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
