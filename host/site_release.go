package host

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"time"

	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/static"
	"github.com/wasgi/wasgi/tenants"
)

// attempt brings what is wanted into service, unless it is already.
func (s *site) attempt(ctx context.Context) error {
	start := time.Now()
	turn := s.fleet.turns.Load()
	w, err := s.proposal()
	v := verification{wait: readJustNow}
	if err == nil {
		v.folder = followed(w.tenant.Dir)
		v.fingerprint, err = s.fleet.fingerprint(w)
	}
	if a := s.serving(); err == nil && a != nil && a.is(w, v.fingerprint, turn) {
		s.adopt(w.tenant)
		s.succeed()
		return nil
	}
	s.begin()
	made := false
	if err == nil {
		a := s.application(w, v, nil)
		a.turn = turn
		made, err = s.release(ctx, a, nil)
		err = withLinkAdvice(err, w.tenant)
	}
	s.report(ctx, made, err, time.Since(start))
	return err
}

func (s *site) application(w wish, v verification, quotas *policy.Quotas) application {
	return application{tenant: w.tenant, folder: v.folder, secret: w.secret, touched: w.touched, pinned: w.pinned, fingerprint: v.fingerprint, verified: v.wait, quotas: quotas, memory: s.memory}
}

// followed is where the links of a folder lead now.
func followed(dir string) string {
	folder, err := filepath.EvalSymlinks(dir)
	if err != nil || folder == dir {
		return dir // what is wrong with it is found out where it is opened
	}
	return folder
}

// release makes a deployment and swaps it in, or finds that a snapshot is good
// enough: made is false then. commit, which may be nil, is called when the
// deployment is able to serve; its error leaves the older one serving.
func (s *site) release(ctx context.Context, a application, commit func(tenants.Release) error) (made bool, err error) {
	im, lies, err := s.build(ctx, &a, commit == nil)
	if err != nil {
		return false, err
	}
	if !lies {
		err = s.enact(ctx, a, im, commit)
	}
	if err == nil {
		s.hint(a)
	}
	return !lies, err
}

// enact has an image serve.
func (s *site) enact(ctx context.Context, a application, im image, commit func(tenants.Release) error) error {
	if err := s.fleet.unchanged(a); err != nil {
		return errors.Join(errChanged, err, im.Close())
	}
	use, files, err := openFiles(a)
	if err != nil {
		return errors.Join(err, im.Close())
	}
	d := deploy(a, im, files, s.fleet)
	d.files = use
	s.tally.enter(d)
	err = s.examine(ctx, d)
	if err == nil && commit != nil {
		err = commit(a.release)
	}
	if err != nil {
		s.retire(d)
		return err
	}
	old, asleep := s.swap(d)
	if old != nil {
		s.retiring.Go(func() { s.retire(old) })
	}
	if asleep != nil {
		s.letGo(asleep.files, asleep.shown)
	}
	return nil
}

// openFiles holds the files of a release, and opens those that it shows.
func openFiles(a application) (*release.Use, *static.Files, error) {
	use, err := holdFiles(a)
	if err != nil {
		return nil, nil, err
	}
	files, err := staticFiles(a)
	if err != nil {
		return nil, nil, errors.Join(err, use.Close())
	}
	return use, files, nil
}

// swap has d serve from here on, and returns what did before.
func (s *site) swap(d *deployment) (old *deployment, asleep *dormant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replace(d)
}

// replace is swap with mu held. A dormant release that is just being opened is freed
// by who opens it.
func (s *site) replace(d *deployment) (old *deployment, asleep *dormant) {
	if !s.rousing {
		asleep = s.dormant
	}
	s.dormant, s.lost = nil, false
	return s.live.Swap(d), asleep
}

// hint says what an operator could do better.
func (s *site) hint(a application) {
	if hint := a.tenant.Manifest.Hint(); hint != "" {
		s.step("hint: " + hint)
		s.log().Slog().Info(hint)
	}
}

// build runs with one of the host's few building permits. It returns an image, or
// says, if that is good enough, that a dormant release serves from here on.
func (s *site) build(ctx context.Context, a *application, dormantToo bool) (im image, lies bool, err error) {
	release, err := s.fleet.builders.take(ctx, s.calls())
	if err != nil {
		return nil, false, err
	}
	defer release()
	if err := s.prepare(ctx, a); err != nil {
		return nil, false, err
	}
	s.boot()
	if dormantToo {
		if lies, err = s.lie(*a); lies || err != nil {
			return nil, lies, err
		}
	}
	if err := s.rouse(); err != nil { // the new image may be written over that of the release before
		return nil, false, err
	}
	a.log = s.log()
	if a.quotas == nil {
		a.quotas = s.quotasOf(a.tenant)
	}
	s.step("booting")
	im, err = s.fleet.maker.build(ctx, *a)
	return im, false, err
}

func (s *site) prepare(ctx context.Context, a *application) (err error) {
	s.step("preparing")
	ctx, cancel := context.WithTimeout(ctx, s.fleet.cfg.now().PrepareTimeout)
	defer cancel()
	a.release, err = s.fleet.maker.prepare(ctx, *a, func(text string) {
		s.fleet.events.emit(Event{Kind: EventProgress, Tenant: s.name, Text: text})
	})
	return err
}

// retire ends a deployment that does not serve any more.
func (s *site) retire(d *deployment) {
	s.disband(d)
	s.letGo(d.files, d.static)
}

// disband is retire for a deployment whose files go on being used.
func (s *site) disband(d *deployment) {
	ctx, cancel := s.fleet.drainContext()
	defer cancel()
	d.retire(ctx, s.log().Slog())
	s.tally.leave(d)
}

// letGo is for the files of a release that serves nobody any more.
func (s *site) letGo(files *release.Use, shown *static.Files) {
	if err := shown.Close(); err != nil {
		s.log().Slog().Error("the folders of static files could not be closed", "error", err)
	}
	if files == nil {
		return
	}
	if err := files.Close(); err != nil {
		s.log().Slog().Error("the files of the release could not be let go", "error", err)
	}
	s.fleet.source.retired(s.name)
}

// report ends an attempt: state, event, log.
func (s *site) report(ctx context.Context, made bool, err error, took time.Duration) {
	err = withFileAdvice(err)
	s.tried.Store(true)
	if !errors.Is(err, errChanged) && ctx.Err() == nil && (err != nil || made) {
		s.fleet.metrics.Tenant(s.name).Released(err == nil, took)
	}
	switch {
	case err == nil:
		s.succeed()
		if a := s.serving(); a != nil { // not lost already
			s.fleet.events.emit(Event{Kind: EventReady, Tenant: s.name, URL: s.fleet.url(a.tenant), Took: took})
		}
	case errors.Is(err, errChanged):
		s.repeat(err)
	case ctx.Err() != nil:
		s.fail(err)
	default:
		s.fail(err)
		s.fleet.events.emit(Event{Kind: EventFailed, Tenant: s.name, Took: took, Err: err})
	}
}

// sameSettings compares all that goes into a deployment but the files.
func sameSettings(a, b *tenants.Tenant) bool {
	return a == b || reflect.DeepEqual(a, b)
}
