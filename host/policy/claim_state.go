package policy

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Claim says that this process uses a state folder, until Close. The kernel ends
// it with the process, however that ends.
type Claim struct{ file *os.File }

// Close ends the claim, unless another process has got it (see Descriptor).
func (c *Claim) Close() error { return c.file.Close() }

// Descriptor is for a process that is to have the claim as well, and to keep it
// when this one has ended: it belongs to all who have a duplicate of it.
func (c *Claim) Descriptor() uintptr { return c.file.Fd() }

// ClaimState claims the state folder, which is made when it is not there, for
// one `wasgi serve`: two would count the same quotas twice and take each
// other's preparations for leftovers. Commands beside the server do not claim
// it. The error for a folder that is in use names the process. Snapshots that a
// killed server did not finish are removed.
func ClaimState(dir string) (*Claim, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the state folder (state_dir): %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, ".serve.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot claim the state folder (state_dir): %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("the state folder %s is in use by another wasgi serve%s: stop that one, or give this one a folder of its own (state_dir)", dir, holder(file))
	} else if err == nil {
		err = errors.Join(sign(file), removeUnfinished(filepath.Join(dir, "snapshots")))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Claim{file}, nil
}

// AdoptState takes the claim over that an older process has, by a duplicate of its
// descriptor. What that one is writing is left alone.
func AdoptState(file *os.File) (*Claim, error) {
	if err := sign(file); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot take over the state folder (state_dir): %w", err), file.Close())
	}
	return &Claim{file}, nil
}

// sign writes down who holds the claim, for those who come later.
func sign(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// removeUnfinished removes the files that package sandbox writes before it gives
// them their name, those of worker processes included (host, level.go).
func removeUnfinished(dir string) error {
	var errs []error
	for _, below := range []string{".*.tmp", "*/*/.*.tmp"} {
		files, err := filepath.Glob(filepath.Join(escape(dir), below))
		errs = append(errs, err)
		for _, f := range files {
			errs = append(errs, os.Remove(f))
		}
	}
	return errors.Join(errs...)
}

// escape makes a path a pattern that matches it alone.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func holder(file *os.File) string {
	text, err := io.ReadAll(io.NewSectionReader(file, 0, 20))
	if err != nil || len(text) == 0 {
		return ""
	}
	return " (process " + strings.TrimSpace(string(text)) + ")"
}
