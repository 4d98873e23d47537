package sandbox

import (
	"bytes"
	"context"
	"fmt"
)

// remapPages is the number of dirty pages above which a new mapping is
// cheaper than copying, and gives memory back besides.
const remapPages = 4096

// Reset puts a restored instance back into the state of its image: memory,
// globals, descriptors, file systems in memory. Then it draws new random
// state. An error leaves the instance unusable; so does a request that made
// memory grow, because wasm memory cannot shrink.
func (in *Instance) Reset() error {
	if in.image == nil {
		return &Error{Kind: KindHost, Op: "reset", Tenant: in.spec.Name, Detail: "the instance has no image"}
	}
	if err := in.move(StateResetting); err != nil {
		return err
	}
	if err := in.restoreState(); err != nil {
		return in.fail("reset", err)
	}
	if err := in.afterRestore(context.Background()); err != nil {
		return err
	}
	return in.move(StateReady)
}

func (in *Instance) restoreState() *Error {
	s := in.image.storage
	if in.memory.size != s.size {
		return &Error{Kind: KindMemory, Detail: fmt.Sprintf("memory grew from %d to %d bytes", s.size, in.memory.size)}
	}
	in.leaveFiles()
	if err := in.sandbox.Reset(); err != nil {
		return &Error{Kind: KindHost, Detail: "closing what the request left open", Err: err}
	}
	if err := in.restoreMemory(s); err != nil {
		return &Error{Kind: KindHost, Err: err}
	}
	in.putBack(s)
	if in.engine.verify && !bytes.Equal(in.memory.base[:s.size], s.view) {
		return &Error{Kind: KindHost, Detail: "memory differs from the image after a reset"}
	}
	return nil
}

// restoreMemory copies back the pages that were written to. Every other page
// still is the image's own.
func (in *Instance) restoreMemory(s *storage) error {
	memory := in.memory.base[:s.size]
	total, err := in.dirtied()
	if err != nil {
		return err
	}
	in.stats.DirtyPages, in.stats.OwnPages = int(total/imagePage), 0
	if total > remapPages*imagePage {
		in.books.cpu = bookLast // it has become much smaller: look soon
		in.dirty.known = false
		return in.memory.mapImage(s)
	}
	for _, r := range in.dirty.runs {
		s.copyBack(memory, r)
	}
	return nil
}

// copyBack clears the pages that are zero in the image instead of reading
// them, because reading a hole would fill it.
func (s *storage) copyBack(memory []byte, r pageRun) {
	_ = s.pages.split(r, func(r pageRun, set bool) error {
		if set {
			copy(memory[r.start:r.end], s.view[r.start:r.end])
		} else {
			clear(memory[r.start:r.end])
		}
		return nil
	})
}
