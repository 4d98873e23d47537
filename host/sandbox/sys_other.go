//go:build !linux

package sandbox

import (
	"errors"
	"os"
)

// errPlatform is the error of everything here: guests need copy-on-write
// mappings at a chosen address and /proc/self/pagemap.
var errPlatform = errors.New("sandbox: guests run on Linux only")

type (
	dirtyPages struct{ scan bool }
	scratch    struct {
		runs  []pageRun
		known bool
	}
)

func reserve(uint64) ([]byte, error)                      { return nil, errPlatform }
func addressSpaceLimited() bool                           { return true }
func commit([]byte) error                                 { return errPlatform }
func preferHuge([]byte)                                   {}
func mapPrivate([]byte, *os.File, int64) error            { return errPlatform }
func mapReadOnly(*os.File, int64, uint64) ([]byte, error) { return nil, errPlatform }
func readAttribute(*os.File, string, int) ([]byte, error) { return nil, errPlatform }
func writeAttribute(*os.File, string, []byte) error       { return errPlatform }
func unmap([]byte) error                                  { return nil }
func memoryFile(string) (*os.File, error)                 { return nil, errPlatform }
func seal(*os.File) error                                 { return errPlatform }
func nextData(_ *os.File, offset, _ int64) int64          { return offset }
func openNoFollow(string) (*os.File, error)               { return nil, errPlatform }
func numbersOf(os.FileInfo) (device, inode uint64)        { return 0, 0 }
func ownedByUs(os.FileInfo) bool                          { return false }
func openDirtyPages() (*dirtyPages, error)                { return nil, errPlatform }
func (*dirtyPages) find([]byte, *scratch) error           { return errPlatform }
func (*dirtyPages) refind([]byte, *scratch) error         { return errPlatform }
func (*dirtyPages) Close() error                          { return nil }
