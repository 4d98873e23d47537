package sandbox

import "slices"

// maxHotPages bounds what a new instance is given ahead: two MiB.
const maxHotPages = 512

// learn keeps what the first request in a new instance has written to, for the
// instances that follow: they will write to the same pages.
func (in *Instance) learn() {
	if in.image == nil || in.image.hot.Load() != nil {
		return
	}
	var runs []pageRun
	if n, err := in.dirtied(); err == nil && n <= maxHotPages*imagePage {
		runs = slices.Clone(in.dirty.runs)
	}
	in.image.hot.Store(&runs)
	in.image.keepHot(runs)
}

// warm makes copies of the pages that a first request writes to. All at once
// they cost less than one fault after the other. Where the kernel
// cannot (Linux before 5.14), they come when they are needed.
func (in *Instance) warm() {
	runs := in.image.hot.Load()
	if runs == nil {
		return
	}
	for _, r := range *runs {
		if populate(in.memory.base[r.start:r.end]) != nil {
			return
		}
	}
}
