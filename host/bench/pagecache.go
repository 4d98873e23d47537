package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// fromDisk is what had to be read meanwhile that was not in the page cache.
const fromDisk = "read from the disk for that"

// readBack reads all files of a folder, so that the page cache has them. A virtual
// machine may page out what it has not used for seconds, and then measures its disk.
func readBack(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(io.Discard, f)
		return err
	})
}

// diskReads is how many bytes a process has read from disks so far (proc(5), read_bytes).
func diskReads(pid int) (float64, error) {
	text := field(fmt.Sprintf("/proc/%d/io", pid), "read_bytes")
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("what process %d has read: %w", pid, err)
	}
	return n, nil
}
