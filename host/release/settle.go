package release

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Keep begins to write what Install has made to the medium; Settle waits for that.
// Apart from Install, because whoever writes to the same file system meanwhile waits
// too: what the host's store writes about an upload took 80 ms instead of one.
func (r *Repository) Keep(tenant string, s Stored) {
	if there, err := r.Find(tenant, s.Digest); err == nil && there == s {
		return
	}
	dir := filepath.Dir(s.Dir)
	r.settling.begin(dir, func() error { return settle(dir, s) })
}

// Settle waits until a release is on the medium as a whole, with its name: only
// then may anything that lasts have it serve. Until then it can be booted, as a
// deploy does meanwhile: of Flask the wait is 15 ms, of Django 120, and on a busy
// disk a multiple. fs.ErrNotExist says that there is no such release, or none that
// was written as a whole.
func (r *Repository) Settle(tenant, digest string) error {
	if err := r.settling.wait(filepath.Join(r.home(tenant), digest)); err != nil {
		return fmt.Errorf("writing the release to the disk: %w", err)
	}
	_, err := r.Find(tenant, digest)
	return err
}

// SettleAll waits for everything that is being written.
func (r *Repository) SettleAll() { r.settling.waitBelow(r.Dir) }

// settle writes release.json, which makes a release of a folder, after everything
// else of it is on the medium.
func settle(dir string, s Stored) error {
	if err := syncTree(dir); err != nil {
		return err
	}
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	name := filepath.Join(dir, storedFile)
	if err := os.WriteFile(name, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return errors.Join(syncFolder(name), syncFolder(dir), syncFolder(filepath.Dir(dir)))
}

// settling is what is being written, by folder. The zero value is ready.
type settling struct {
	mu      sync.Mutex
	folders map[string]*written
}

type written struct {
	done chan struct{} // closed at the end
	err  error         // before done is closed, for begin only
}

// begin runs write in a goroutine that wait and waitBelow wait for.
func (s *settling) begin(folder string, write func() error) {
	w := &written{done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folders == nil {
		s.folders = map[string]*written{}
	}
	s.folders[folder] = w
	go func() {
		defer close(w.done)
		if w.err = write(); w.err == nil {
			s.forget(folder, w)
		}
	}()
}

func (s *settling) forget(folder string, w *written) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folders[folder] == w {
		delete(s.folders, folder)
	}
}

// wait returns how the last write of a folder ended, nil for none.
func (s *settling) wait(folder string) error {
	s.mu.Lock()
	w := s.folders[folder]
	s.mu.Unlock()
	if w == nil {
		return nil
	}
	<-w.done
	return w.err
}

// waitBelow waits for all below a folder, and forgets how they ended.
func (s *settling) waitBelow(folder string) {
	for name, w := range s.below(folder) {
		<-w.done
		s.forget(name, w)
	}
}

func (s *settling) below(folder string) map[string]*written {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]*written{}
	for name, w := range s.folders {
		if strings.HasPrefix(name, folder+string(filepath.Separator)) {
			out[name] = w
		}
	}
	return out
}
