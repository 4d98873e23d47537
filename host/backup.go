package host

import (
	"context"
	"errors"
	"io"

	"github.com/wasgi/wasgi/host/archive"
)

// Backup implements api.Backend.
func (b backend) Backup(ctx context.Context, w io.Writer, data, key bool) error {
	s, ok := b.store.(interface{ Copy(io.Writer) error })
	if !ok {
		return errors.New("the store cannot be copied here: use its own backup")
	}
	return archive.Write(ctx, w, archive.Options{State: b.host.cfg.StateDir, Database: s.Copy, Data: data, Key: key})
}
