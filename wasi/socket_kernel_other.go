//go:build !linux

package wasi

import "errors"

// newKernelEnd needs Linux, as guests do.
func newKernelEnd(l *Link) (endpoint, error) {
	return nil, errors.Join(errors.New("wasi: sockets need Linux"), l.File.Close())
}
