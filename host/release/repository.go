package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/bundle"
	"github.com/wasgi/wasgi/tenants"
)

// Repository keeps uploaded applications below one folder, for one process:
//
//	<dir>/<tenant>/<digest>/app           the application, which nobody changes
//	<dir>/<tenant>/<digest>/release.json  Stored
//	<dir>/<tenant>/.*                     in the making, or on its way out
//
// A release without its release.json may not be whole on the medium: it is none
// once the process has ended. It is safe for concurrent use, but for two calls
// about one tenant.
type Repository struct {
	Dir    string
	Limits bundle.Limits
	// Check, when set, says why an unpacked application cannot be a release.
	Check func(tenant, dir string) error
	// Compile, when set, writes byte code into the folder.
	Compile func(ctx context.Context, tenant, dir string) error

	settling settling
}

// Stored is an application that was uploaded.
type Stored struct {
	Digest  string    `json:"digest"` // tenants.Fingerprint of the folder, in hexadecimal
	Bundle  string    `json:"bundle"` // SHA-256 of the archive that it came in first, in hexadecimal
	Created time.Time `json:"created"`
	Files   int       `json:"files"`
	Bytes   int64     `json:"bytes"`
	Dir     string    `json:"-"` // of the application
}

// Names within the repository. Hidden ones are no release.
const (
	appFolder    = "app"
	storedFile   = "release.json"
	making       = ".making-"
	leaving      = ".leaving-"
	uploadPrefix = ".upload-"
)

// IsDigest says whether a text can be the digest of a release.
func IsDigest(text string) bool { return regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(text) }

func (r *Repository) home(tenant string) string { return filepath.Join(r.Dir, tenant) }

// home is made with mode 0700: releases may hold secrets.
func (r *Repository) makeHome(tenant string) (string, error) {
	if err := tenants.CheckName(tenant); err != nil {
		return "", err
	}
	home := r.home(tenant)
	return home, os.MkdirAll(home, 0o700)
}

// Find is a release that is there: fs.ErrNotExist when it is not.
func (r *Repository) Find(tenant, digest string) (Stored, error) {
	if !IsDigest(digest) || tenants.CheckName(tenant) != nil {
		return Stored{}, fmt.Errorf("release %q of %s: %w", digest, tenant, fs.ErrNotExist)
	}
	return read(filepath.Join(r.home(tenant), digest))
}

func read(dir string) (s Stored, err error) {
	text, err := os.ReadFile(filepath.Join(dir, storedFile))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("release %s: %w", filepath.Base(dir), err)
	}
	if s.Digest != filepath.Base(dir) {
		return s, fmt.Errorf("release %s is described as %q: deploy it again", filepath.Base(dir), s.Digest)
	}
	s.Dir = filepath.Join(dir, appFolder)
	return s, nil
}

// Install makes a release of an upload, or finds the one that is there with the
// same content. It can be booted, and lasts after Keep. The upload is used up. Errors are *bundle.Refusal, those of
// Check and Compile, and those of the disk; the repository is then as it was.
func (r *Repository) Install(ctx context.Context, tenant string, u *Upload) (Stored, error) {
	defer u.Close()
	home, err := r.makeHome(tenant)
	if err != nil {
		return Stored{}, err
	}
	stage, err := os.MkdirTemp(home, making)
	if err != nil {
		return Stored{}, err
	}
	defer os.RemoveAll(stage)
	s, err := r.fill(ctx, tenant, stage, u)
	if err != nil {
		return Stored{}, err
	}
	return r.publish(home, stage, s)
}

// fill makes the release in stage.
func (r *Repository) fill(ctx context.Context, tenant, stage string, u *Upload) (Stored, error) {
	app := filepath.Join(stage, appFolder)
	report, err := r.unpack(app, u)
	if err != nil {
		return Stored{}, err
	}
	if r.Check != nil {
		if err := r.Check(tenant, app); err != nil {
			return Stored{}, &CheckError{app, err}
		}
	}
	digest, err := r.digestAndCompile(ctx, tenant, app)
	if err != nil {
		return Stored{}, err
	}
	return Stored{Digest: digest.String(), Bundle: u.Digest, Created: time.Now().UTC(), Files: report.Files, Bytes: report.Bytes}, nil
}

// digestAndCompile does both at once: the digest leaves byte code out.
func (r *Repository) digestAndCompile(ctx context.Context, tenant, app string) (digest tenants.Digest, err error) {
	var compiling sync.WaitGroup
	var failed error
	if r.Compile != nil {
		compiling.Go(func() { failed = r.Compile(ctx, tenant, app) })
	}
	digest, err = tenants.Fingerprint(app)
	compiling.Wait()
	return digest, errors.Join(err, failed)
}

func (r *Repository) unpack(app string, u *Upload) (bundle.Report, error) {
	if err := os.Mkdir(app, 0o755); err != nil {
		return bundle.Report{}, err
	}
	root, err := os.OpenRoot(app)
	if err != nil {
		return bundle.Report{}, err
	}
	defer root.Close()
	return bundle.Unpack(u.file, u.Size, root, r.Limits)
}

// publish gives the release its name. One that has the name already is the same
// release, unless it was damaged.
func (r *Repository) publish(home, stage string, s Stored) (Stored, error) {
	final := filepath.Join(home, s.Digest)
	if err := r.settling.wait(final); err == nil {
		if there, err := read(final); err == nil && intact(there) {
			return there, nil
		}
	}
	if err := remove(final); err != nil {
		return Stored{}, err
	}
	if err := os.Rename(stage, final); err != nil {
		return Stored{}, err
	}
	s.Dir = filepath.Join(final, appFolder)
	return s, nil
}

func intact(s Stored) bool {
	digest, err := tenants.Fingerprint(s.Dir)
	return err == nil && digest.String() == s.Digest
}

// CheckError says what Check found in an application. Paths below Dir are the
// bundle's.
type CheckError struct {
	dir string
	Err error
}

// Error tells the bundle's paths, not the host's.
func (e *CheckError) Error() string {
	text := strings.ReplaceAll(e.Err.Error(), e.dir+string(filepath.Separator), "")
	return strings.ReplaceAll(text, e.dir, "the bundle")
}

// Unwrap gives what Check said.
func (e *CheckError) Unwrap() error { return e.Err }

// remove takes a folder away in one step, and then its content.
func remove(dir string) error {
	away, err := os.MkdirTemp(filepath.Dir(dir), leaving)
	if err != nil {
		return err
	}
	err = os.Rename(dir, filepath.Join(away, filepath.Base(dir)))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(away))
}

// Collect removes what keep, the digests of a tenant's releases, does not name,
// and what is unfinished, after what settles has. No call about the tenant may run. What somebody uses
// (Hold) stays until a later call. Without any digest the tenant's folder goes,
// used or not.
func (r *Repository) Collect(tenant string, keep map[string]bool) error {
	r.settling.waitBelow(r.home(tenant))
	if len(keep) == 0 {
		return os.RemoveAll(r.home(tenant))
	}
	entries, err := os.ReadDir(r.home(tenant))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		path := filepath.Join(r.home(tenant), e.Name())
		switch {
		case keep[e.Name()], InUse(path):
		case strings.HasPrefix(e.Name(), "."):
			errs = append(errs, os.RemoveAll(path))
		default:
			errs = append(errs, remove(path))
		}
	}
	return errors.Join(errs...)
}

// Tenants lists who has a folder in the repository.
func (r *Repository) Tenants() ([]string, error) {
	entries, err := os.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out, err
}
