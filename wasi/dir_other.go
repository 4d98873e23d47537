//go:build !linux

package wasi

import (
	"errors"
	"io"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// dirReader reads a directory with what package os has.
type dirReader struct{}

func (dirReader) rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// read returns up to n entries, all that are left for n <= 0. Fewer than n are the last.
func (dirReader) read(f *os.File, n int) ([]sys.Dirent, error) {
	infos, err := f.Readdir(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	entries := make([]sys.Dirent, 0, len(infos))
	for _, info := range infos {
		entries = append(entries, sys.Dirent{Ino: statOf(info).Ino, Name: info.Name(), Type: info.Mode().Type()})
	}
	return entries, nil
}

func setTimes(*os.File, int64, int64) error { return sys.ENOSYS }

func datasync(f *os.File) error { return f.Sync() }

func duplicate(*os.File) (*os.File, bool, error) { return nil, false, errors.ErrUnsupported }
