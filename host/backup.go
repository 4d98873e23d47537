package host

import (
	"context"
	"errors"
	"io"

	"github.com/wasgi/wasgi/host/archive"
	"github.com/wasgi/wasgi/host/store"
)

// Backup implements api.Backend.
func (b backend) Backup(ctx context.Context, w io.Writer, data, key bool) error {
	return archive.Write(ctx, w, archive.Options{State: b.host.cfg.StateDir, Database: b.copy, Data: data, Key: key})
}

// copy writes the store's file as it is at one moment.
func (b backend) copy(w io.Writer) error {
	return b.store.use(func(s store.Store) error {
		c, ok := s.(interface{ Copy(io.Writer) error })
		if !ok {
			return errors.New("the store cannot be copied here: use its own backup")
		}
		return c.Copy(w)
	})
}
