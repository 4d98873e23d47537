package bytecode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/wasgi/wasgi/host/sandbox"
)

// mostLearnt bounds the byte code of one call of Learn, in bytes: that of Django has 14
// MiB.
const mostLearnt = 32 << 20

// Learn makes byte code of sources that Known has missed, for the next import of the
// same texts, one after the other, and says of how many. names are below dir, which
// nothing is written to and who owns it may change at any time. What is not there any
// more, or that Known would not look for, is left out; a source that cannot be compiled
// is remembered as such. Errors are those of ctx, of dir, and of a guest that cannot run.
func (c Compiler) Learn(ctx context.Context, dir, seen string, names []string) (sources int, err error) {
	root, err := openFolder(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer root.Close()
	l := &learning{Compiler: c, root: root, seen: seen}
	defer l.close()
	l.worker.image = func() (im *sandbox.Image, err error) {
		if l.image == nil {
			l.image, err = c.image(ctx)
		}
		return l.image, err
	}
	for _, name := range names {
		if err := context.Cause(ctx); err != nil {
			return l.sources, fmt.Errorf("compiling to byte code: %w", err)
		}
		if l.bytes > mostLearnt {
			break
		}
		if err := l.one(ctx, name); err != nil {
			return l.sources, err
		}
	}
	return l.sources, nil
}

// openFolder opens a folder and nothing else: in its place there may be a pipe by now,
// which nobody writes to.
func openFolder(dir string) (*os.Root, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
}

type learning struct {
	Compiler
	root    *os.Root
	seen    string
	worker  worker
	image   *sandbox.Image // nil before it is needed
	sources int
	bytes   int
}

func (l *learning) close() {
	l.worker.close()
	if l.image != nil {
		_ = l.image.Close()
	}
}

// refused stands for a source that has no byte code. Its tag is no version's.
func refused() result { return result{tag: "refused"} }

func (l *learning) one(ctx context.Context, name string) error {
	seen := path.Join(l.seen, name)
	source, ok := l.read(name)
	if !ok {
		return nil
	}
	k, err := l.keyOf(seen, bytes.NewReader(source), int64(len(source)))
	if err != nil {
		return err
	}
	if _, found := l.Cache.get(k); found {
		return nil
	}
	r, err := l.worker.compile(ctx, seen, source)
	switch {
	case errors.Is(err, errSource) && (ctx.Err() != nil || isShort(err)):
		return context.Cause(ctx) // it says nothing of the source
	case errors.Is(err, errSource), err == nil && len(r.code) > mostCode:
		r = refused()
	case err != nil:
		return err
	default:
		l.sources++
	}
	l.bytes += len(r.code)
	return l.Cache.put(k, r)
}

// isShort says that there was no memory for a guest.
func isShort(err error) bool {
	var e *sandbox.Error
	return errors.As(err, &e) && e.Kind == sandbox.KindMemory
}

// read is a source that Known would look for.
func (l *learning) read(name string) ([]byte, bool) {
	f, err := l.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() < leastKnown || info.Size() > mostKnown {
		return nil, false
	}
	source := make([]byte, info.Size())
	_, err = io.ReadFull(f, source)
	return source, err == nil
}
