//go:build !linux

package wasi

import (
	"errors"
	"os"
)

func setLock(*os.File, lockRange) error { return errors.ErrUnsupported }

func testLock(*os.File, lockRange) (lockRange, error) { return lockRange{}, errors.ErrUnsupported }

func flock(*os.File, uint32) error { return errors.ErrUnsupported }
