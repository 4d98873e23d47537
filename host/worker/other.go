//go:build !linux

package worker

import (
	"context"
	"errors"
	"io"

	"github.com/wasgi/wasgi/host/sandbox"
)

var errPlatform = errors.New("worker: worker processes run on Linux only")

type (
	// Image has no use on this platform.
	Image struct{}
	// Instance has no use on this platform.
	Instance struct{ sandbox.Instance }
)

// Main fails.
func Main(Guest) error { return errPlatform }

// GroupParent fails.
func GroupParent() (string, error) { return "", errPlatform }

// Build fails.
func Build(context.Context, Config) (*Image, error) { return nil, errPlatform }

// Run fails.
func Run(context.Context, Config, io.Reader, io.Writer, io.Writer) (int, error) {
	return 0, errPlatform
}

// Restore fails.
func (*Image) Restore(context.Context) (*Instance, error) { return nil, errPlatform }

// Close does nothing.
func (*Image) Close() error { return nil }
