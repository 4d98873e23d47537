package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/wasgi/wasgi/abi"
)

// snapshot is the whole state of a prepared instance. memory is the
// instance's own and valid until it closes.
type snapshot struct {
	memory  []byte
	globals []uint64
	buffer  messageBuffer
}

// snapshot reads the state out.
func (in *Instance) snapshot() snapshot {
	s := snapshot{memory: in.memory.base[:in.memory.size], buffer: in.buffer}
	for _, g := range in.globals {
		s.globals = append(s.globals, g.Get())
	}
	return s
}

// storage is a snapshot at rest: a file, with or without a name, whose bytes
// from offset on are the memory. It never changes.
type storage struct {
	file    *os.File
	offset  int64
	size    uint64
	pages   pageMap // pages that are not zero
	globals []uint64
	buffer  messageBuffer
	at      Stored // zero for a file without a name
	budget  *Budget
	booked  uint64 // in budget, for a file that lives in memory
	view    []byte // read-only mapping of the memory
}

func (s *storage) stored() bool { return s.at.path != "" }

// open maps the memory, for Reset to copy from.
func (s *storage) open() error {
	var err error
	s.view, err = mapReadOnly(s.file, s.offset, s.size)
	return err
}

func (s *storage) close() error {
	view := s.view
	s.view = nil
	s.budget.Give(s.booked)
	s.booked = 0
	return errors.Join(unmap(view), s.file.Close())
}

// storeInMemory writes a snapshot to a file without a name and seals it.
func storeInMemory(s snapshot, budget *Budget) (*storage, error) {
	pages := mapPages(s.memory)
	need := pages.bytes(uint64(len(s.memory)))
	if !budget.Take(need) {
		return nil, errNoMemory
	}
	st, err := fillMemory(s, pages)
	if err != nil {
		budget.Give(need)
		return nil, err
	}
	st.budget, st.booked = budget, need
	return st, nil
}

func fillMemory(s snapshot, pages pageMap) (*storage, error) {
	f, err := memoryFile("wasgi-image")
	if err != nil {
		return nil, err
	}
	st := &storage{
		file: f, size: uint64(len(s.memory)), pages: pages,
		globals: s.globals, buffer: s.buffer,
	}
	err = errors.Join(f.Truncate(int64(st.size)), st.pages.write(f, 0, s.memory))
	if err == nil {
		err = errors.Join(seal(f), st.open())
	}
	if err != nil {
		return nil, errors.Join(err, st.close())
	}
	return st, nil
}

// Image is a snapshot that instances are restored from. It is safe for
// concurrent use and immutable.
type Image struct {
	engine  *Engine
	spec    Spec
	storage *storage
	refs    atomic.Int64 // the owner and each instance
	closed  atomic.Bool
	hot     atomic.Pointer[[]pageRun] // see Instance.learn
}

// ImageStats describes an image.
type ImageStats struct {
	MemorySize   uint64 // bytes of linear memory
	NonZeroBytes uint64 // bytes in pages that are not zero: what it costs to keep
	Stored       bool   // it lies in a file that outlives the process
}

func (e *Engine) newImage(spec Spec, s *storage) (*Image, error) {
	if limit := spec.memoryLimit(); s.size > limit {
		return nil, errors.Join(s.close(), &Error{Kind: KindMemory, Op: "snapshot", Tenant: spec.Name,
			Detail: fmt.Sprintf("the application needs %d bytes at rest, more than its memory limit of %d", s.size, limit)})
	}
	im := &Image{engine: e, spec: spec, storage: s}
	im.spec.Warmup = nil
	im.refs.Store(1)
	im.recallHot()
	return im, nil
}

// Stats describes the image.
func (im *Image) Stats() ImageStats {
	s := im.storage
	return ImageStats{MemorySize: s.size, NonZeroBytes: s.pages.bytes(s.size), Stored: s.stored()}
}

// Close lets go of the image. Instances that were restored from it go on; the
// last one to close frees it. Closing twice does nothing.
func (im *Image) Close() error {
	if im.closed.Swap(true) {
		return nil
	}
	return im.release()
}

// acquire fails when the image is already gone.
func (im *Image) acquire() bool {
	for {
		n := im.refs.Load()
		if n == 0 || im.closed.Load() {
			return false
		}
		if im.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (im *Image) release() error {
	if im.refs.Add(-1) > 0 {
		return nil
	}
	return im.storage.close()
}

// Restore makes an instance that is ready to serve. ctx bounds the little
// guest code that runs.
func (im *Image) Restore(ctx context.Context) (*Instance, error) {
	if !im.acquire() {
		return nil, &Error{Kind: KindHost, Op: "restore", Tenant: im.spec.Name, Detail: "the image is closed"}
	}
	in, err := im.engine.instantiate(instanceConfig{spec: &im.spec, storage: im.storage})
	if err != nil {
		return nil, errors.Join(err, im.release())
	}
	in.image = im
	if err := in.resume(ctx); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

// resume brings a new instance into the state of its image.
func (in *Instance) resume(ctx context.Context) error {
	s := in.image.storage
	if delta := (s.size - in.memory.size) / wasmPage; delta > 0 {
		if _, ok := in.module.Memory().Grow(uint32(delta)); !ok {
			return in.fail("restore", &Error{Kind: KindMemory, Detail: "the memory of the image was refused"})
		}
	}
	in.warm()
	in.putBack(s)
	if err := in.afterRestore(ctx); err != nil {
		return err
	}
	return in.move(StateReady)
}

// putBack sets everything of the state that is not memory.
func (in *Instance) putBack(s *storage) {
	for i, g := range in.globals {
		g.Set(s.globals[i])
	}
	in.buffer = s.buffer
}

// afterRestore draws new random state. Without it all instances of an image
// would agree on their secrets.
func (in *Instance) afterRestore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, restoreTimeout)
	defer cancel()
	status, err := in.call(ctx, callAfterRestore, 0, 0)
	if err == nil {
		err = statusError(abi.Status(status), in.trace.String())
	}
	if err != nil {
		in.kill()
		return in.fail("restore", err)
	}
	return nil
}
