package tenants

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Limits of an application's own wheel. The largest wheels of pure Python are
// a tenth of it.
const (
	maxWheel        = 256 << 20 // bytes of the file
	maxWheelContent = 1 << 30   // bytes of all its files
	maxWheelFiles   = 50_000
)

// copyWheel writes the wheel name in root anew at to. The installer, which runs
// on the host, never sees the bytes of a tenant's archive: entries are read by
// one reader, counted while they are inflated, and written again in a plain
// form that every reader understands alike. Refused are names that lead out or
// clash, links and everything else that is no file, and bombs.
func copyWheel(root *os.Root, name, to string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxWheel {
		return fmt.Errorf("%s: no wheel of %d bytes at most", name, maxWheel)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(rewrite(out, f, info.Size(), maxWheelContent), out.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// rewrite lets files of most bytes together pass.
func rewrite(to io.Writer, from io.ReaderAt, size, most int64) error {
	r, err := zip.NewReader(from, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // checkName says which
		return fmt.Errorf("it is no wheel: %w", err)
	}
	if len(r.File) > maxWheelFiles {
		return fmt.Errorf("it has %d files: %d are allowed", len(r.File), maxWheelFiles)
	}
	w := zip.NewWriter(to)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestSpeed) // it is unpacked right away
	})
	left := most
	seen := map[string]bool{}
	for _, entry := range r.File {
		if err := checkEntry(entry, seen); err != nil {
			return fmt.Errorf("its entry %q %w", entry.Name, err)
		}
		if entry.Mode().IsDir() {
			continue
		}
		n, err := copyEntry(w, entry, left)
		if n > left {
			return fmt.Errorf("it unpacks to more than %d bytes", most)
		}
		if err != nil {
			return fmt.Errorf("its entry %q cannot be read: %w", entry.Name, err)
		}
		left -= n
	}
	return w.Close()
}

// checkEntry judges name and kind. Names that differ in case only would be one
// file on some systems.
func checkEntry(entry *zip.File, seen map[string]bool) error {
	name := strings.TrimSuffix(entry.Name, "/")
	switch folded := strings.ToLower(name); {
	case !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00") || path.Clean(name) != name:
		return errors.New("leads out of the folder or is no clean path")
	case !entry.Mode().IsRegular() && !entry.Mode().IsDir():
		return errors.New("is neither file nor folder")
	case seen[folded] && !entry.Mode().IsDir():
		return errors.New("is there twice")
	default:
		seen[folded] = true
		return nil
	}
}

// copyEntry copies one byte more than most of a longer entry.
func copyEntry(w *zip.Writer, entry *zip.File, most int64) (int64, error) {
	r, err := entry.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	out, err := w.CreateHeader(&zip.FileHeader{Name: entry.Name, Method: zip.Deflate, Modified: entry.Modified})
	if err != nil {
		return 0, err
	}
	return io.Copy(out, io.LimitReader(r, most+1))
}
