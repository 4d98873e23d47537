package tenants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// releaseFormat is part of every digest: raise it when the same inputs would
// make another folder, so that releases of older versions are made again.
const releaseFormat = "wasgi release 1, cp313, manylinux_2_28_x86_64 stripped"

// releaseFile describes a release, beside its site folder.
const releaseFile = "release.json"

// PrepareOptions say how and where dependencies are installed.
type PrepareOptions struct {
	// State is the host's folder; releases go below it, made with mode 0700.
	State string
	// Installer is "uv", "pip", or "" for uv when it is there, else pip.
	Installer string
	// Python is the command that runs pip (and uv, when installed as its
	// module); "" is python3. It never runs a tenant's code. With pip, its
	// version decides about markers such as python_version; uv takes 3.13.
	Python string
	// Refresh resolves again although a release with these inputs is there;
	// the new one takes its place.
	Refresh bool
	// Compile, when set, makes byte code in the folder it is given. It runs
	// before the release is put in place; its error fails Prepare.
	Compile func(ctx context.Context, dir string) error
	// Progress, when set, is told each step in a few words, from the calling
	// goroutine or the one that reads the installer's output, never from two
	// at once.
	Progress func(step, detail string)
}

func (o PrepareOptions) progress(step, detail string) {
	if o.Progress != nil {
		o.Progress(step, detail)
	}
}

// Prepare installs a tenant's dependencies into an immutable folder,
// <State>/releases/<tenant>/<digest>, or finds the one that was made for the
// same inputs, which needs neither network nor installer. Only wheels are
// installed: no code of a package runs. Compiled parts are removed where the
// package works without them. Errors: *NativeError, *InstallError, those of
// reading the requirements (*ManifestError, joined), ctx's, or of the disk.
func Prepare(ctx context.Context, t Tenant, o PrepareOptions) (Release, error) {
	needs, err := readRequirements(t.Dir)
	if err != nil {
		return Release{}, err
	}
	if bad := needs.impossible(); len(bad) > 0 {
		return Release{}, &NativeError{t.Name, bad}
	}
	digest, err := needs.digest(t.Dir)
	if err != nil {
		return Release{}, err
	}
	home := filepath.Join(o.State, "releases", t.Name)
	final := filepath.Join(home, digest.String())
	if r, err := readRelease(final); err == nil && !o.Refresh {
		o.progress("reuse", final)
		return r, nil
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return Release{}, err
	}
	b := &build{tenant: t, options: o, needs: needs, final: final}
	b.release = Release{Tenant: t.Name, Digest: digest.String(), Inputs: needs.files, Requirements: needs.lines, Skipped: needs.skipped}
	return b.run(ctx, home)
}

// empty says that there is nothing to install, nor to compile.
func (r *requirements) empty() bool { return len(r.lines)+len(r.wheels) == 0 }

// digest covers everything that decides what is installed.
func (r *requirements) digest(dir string) (Digest, error) {
	h := newHasher()
	writeText(h.sum, releaseFormat)
	for _, list := range [][]string{r.lines, r.constraints, r.wheels} {
		writeText(h.sum, fmt.Sprint(len(list)))
		for _, s := range list {
			writeText(h.sum, s)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Digest{}, err
	}
	defer root.Close()
	for _, w := range r.wheels {
		if err := h.file(root, w); err != nil {
			return Digest{}, err
		}
	}
	return Digest(h.sum.Sum(nil)), nil
}

// readRelease reads a finished release.
func readRelease(dir string) (Release, error) {
	data, err := os.ReadFile(filepath.Join(dir, releaseFile))
	if err != nil {
		return Release{}, err
	}
	r := Release{Dir: dir, Site: filepath.Join(dir, "site"), Reused: true}
	if err := json.Unmarshal(data, &r); err != nil {
		return Release{}, err
	}
	if info, err := os.Stat(r.Site); err != nil || !info.IsDir() {
		return Release{}, fmt.Errorf("%s: no site folder", dir)
	}
	return r, nil
}

// build is one release in the making.
type build struct {
	tenant  Tenant
	options PrepareOptions
	needs   *requirements
	release Release
	stage   string // temporary folder beside the final one
	final   string
}

func (b *build) site() string { return filepath.Join(b.stage, "site") }

func (b *build) run(ctx context.Context, home string) (Release, error) {
	sweep(home, time.Now())
	stage, err := os.MkdirTemp(home, makingPrefix)
	if err != nil {
		return Release{}, err
	}
	defer os.RemoveAll(stage)
	held, err := hold(stage)
	if err != nil {
		return Release{}, err
	}
	defer held.Close()
	b.stage = stage
	if err := os.Mkdir(b.site(), 0o755); err != nil {
		return Release{}, err
	}
	if err := b.fill(ctx); err != nil {
		return Release{}, err
	}
	if b.options.Compile != nil && !b.needs.empty() {
		b.options.progress("compile", b.site())
		if err := b.options.Compile(ctx, b.site()); err != nil {
			return Release{}, fmt.Errorf("%s: compiling the dependencies to byte code: %w", b.tenant.Name, err)
		}
	}
	return b.publish()
}

// fill installs, checks and cleans.
func (b *build) fill(ctx context.Context) error {
	if b.needs.empty() {
		return nil
	}
	i, err := findInstaller(ctx, b.options)
	if err != nil {
		return fmt.Errorf("%s: %w", b.tenant.Name, err)
	}
	b.release.Installer = i.version
	files, err := b.inputs()
	if err != nil {
		return err
	}
	b.options.progress("install", fmt.Sprintf("%d requirements with %s", len(b.needs.lines)+len(b.needs.wheels), i.version))
	if err := i.install(ctx, b.stage, b.site(), files); err != nil {
		return b.explain(err)
	}
	b.options.progress("check", b.site())
	s := &site{dir: b.site()}
	if err := s.clean(b.tenant.Name); err != nil {
		return err
	}
	if s.wants("tzdata") {
		b.addTimeZones(ctx, i, s)
	}
	b.release.Packages, b.release.Stripped = s.packages(), s.stripped
	b.release.Skipped = append(b.release.Skipped, s.dropped...)
	return nil
}

// inputs writes the files for the installer: the requirements, and the
// application's own wheels, written anew.
func (b *build) inputs() ([]string, error) {
	root, err := os.OpenRoot(b.tenant.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	lines := slices.Clone(b.needs.lines)
	for _, w := range b.needs.wheels {
		lines = append(lines, "./"+path.Base(w))
		if err := copyWheel(root, w, filepath.Join(b.stage, path.Base(w))); err != nil {
			return nil, fmt.Errorf("%s: the application's own wheel %w", b.tenant.Name, err)
		}
	}
	if err := b.write("requirements.txt", lines); err != nil {
		return nil, err
	}
	if len(b.needs.constraints) == 0 {
		return []string{"-r", "requirements.txt"}, nil
	}
	err = b.write("constraints.txt", b.needs.constraints)
	return []string{"-r", "requirements.txt", "-c", "constraints.txt"}, err
}

func (b *build) write(name string, lines []string) error {
	return os.WriteFile(filepath.Join(b.stage, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// addTimeZones installs the time zone database where a package asks for it on
// Windows: the guest has none of its own either. Without it the application may
// still work, so a failure is recorded only.
func (b *build) addTimeZones(ctx context.Context, i *installer, s *site) {
	err := i.install(ctx, b.stage, b.site(), []string{"tzdata"})
	if err == nil {
		err = s.clean(b.tenant.Name)
	}
	if err != nil {
		b.release.Skipped = append(b.release.Skipped, Skipped{"tzdata", "could not be installed: " + err.Error()})
	}
}

// explain adds the tenant to an installer's error.
func (b *build) explain(err error) error {
	var failed *InstallError
	if errors.As(err, &failed) {
		failed.Tenant = b.tenant.Name
	}
	return err
}

// publish describes the release and moves it into place. When another process
// was first, its release is as good.
func (b *build) publish() (Release, error) {
	if err := b.tidy(); err != nil {
		return Release{}, err
	}
	data, err := json.MarshalIndent(b.release, "", "  ")
	if err != nil {
		return Release{}, err
	}
	if err := os.WriteFile(filepath.Join(b.stage, releaseFile), append(data, '\n'), 0o600); err != nil {
		return Release{}, err
	}
	if err := b.moveAway(); err != nil {
		return Release{}, err
	}
	if err := os.Rename(b.stage, b.final); err != nil {
		if r, other := readRelease(b.final); other == nil {
			return r, nil
		}
		return Release{}, err
	}
	r, err := readRelease(b.final)
	r.Reused = false
	return r, err
}

// tidy removes what the installer was given and left beside the site.
func (b *build) tidy() error {
	entries, err := os.ReadDir(b.stage)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "site" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(b.stage, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// moveAway takes an incomplete or refreshed release out of the way. Instances
// that serve from it keep its open files.
func (b *build) moveAway() error {
	old, err := os.MkdirTemp(filepath.Dir(b.final), oldPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(old)
	if _, err := readRelease(b.final); err == nil && !b.options.Refresh {
		return nil
	}
	err = os.Rename(b.final, filepath.Join(old, "release"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
