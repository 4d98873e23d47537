package release

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/wasgi/wasgi/host/bundle"
)

// Upload is a bundle that has arrived, in a file without a name.
type Upload struct {
	Digest string // SHA-256 in hexadecimal
	Size   int64  // in bytes
	file   *os.File
}

// ErrDigest says that a bundle is not what its sender says that it sends.
var ErrDigest = errors.New("the bundle did not arrive as it was sent: its SHA-256 is another one; send it again")

// Receive reads a bundle whose SHA-256 its sender says, "" when a sender knows none,
// as browsers do. The caller hands it to
// Install or closes it. Errors are ErrDigest, *bundle.Refusal for one that is too
// large, those of from and those of the disk.
func (r *Repository) Receive(tenant string, from io.Reader, digest string) (*Upload, error) {
	home, err := r.makeHome(tenant)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(home, uploadPrefix)
	if err != nil {
		return nil, err
	}
	u := &Upload{file: f}
	err = errors.Join(os.Remove(f.Name()), u.fill(from, digest, r.Limits.Archive))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return u, nil
}

func (u *Upload) fill(from io.Reader, digest string, most int64) error {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(u.file, sum), io.LimitReader(from, most+1))
	switch u.Size, u.Digest = n, hex.EncodeToString(sum.Sum(nil)); {
	case err != nil:
		return fmt.Errorf("receiving the bundle: %w", err)
	case n > most:
		return &bundle.Refusal{Text: fmt.Sprintf("has more than %d bytes: leave out what the application does not need", most)}
	case digest != "" && u.Digest != digest:
		return ErrDigest
	}
	return nil
}

// Close frees the file. Further calls do nothing.
func (u *Upload) Close() error {
	if err := u.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
