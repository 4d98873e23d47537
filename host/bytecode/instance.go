package bytecode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/sandbox"
)

// result is byte code and the tag that its file's name has (PEP 3147).
type result struct {
	tag  string
	code []byte
}

// errSource says that a source has no byte code: it is no Python, or too much.
var errSource = errors.New("cannot be compiled")

// worker compiles one source after the other.
type worker struct {
	image    func() (*sandbox.Image, error)
	instance *sandbox.Instance // nil before the first, and after one that did not end well
}

func (w *worker) close() {
	if w.instance != nil {
		_ = w.instance.Close()
		w.instance = nil
	}
}

// compile has a source compiled in an instance that has seen no other.
func (w *worker) compile(ctx context.Context, path string, source []byte) (result, error) {
	environ, err := environOf(path, len(source))
	if err != nil {
		return result{}, fmt.Errorf("%w: its path is too long", errSource)
	}
	if err := w.restore(ctx); err != nil {
		return result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var a answer
	if err := w.instance.Serve(ctx, &sandbox.Request{Environ: environ, Body: bytes.NewReader(source)}, &a); err != nil {
		w.close()
		return result{}, fmt.Errorf("%w: %w", errSource, err)
	}
	if w.instance.Reset() != nil {
		w.close()
	}
	return a.result()
}

func (w *worker) restore(ctx context.Context) error {
	if w.instance != nil {
		return nil
	}
	im, err := w.image()
	if err == nil {
		w.instance, err = im.Restore(ctx)
	}
	if err != nil {
		return fmt.Errorf("the byte code compiler cannot run: %w", err)
	}
	return nil
}

// answer collects a response. It is a guest's: nothing in it is believed.
type answer struct {
	head abi.ResponseHead
	body bytes.Buffer
	long bool
}

func (a *answer) Start(h abi.ResponseHead) error {
	a.head = h
	return nil
}

func (a *answer) Write(p []byte, _ bool) error {
	if a.body.Len()+len(p) > maxCode {
		a.long = true
		return errSource
	}
	a.body.Write(p)
	return nil
}

func (a *answer) Log(abi.LogLevel, string) {}

func (a *answer) result() (result, error) {
	switch {
	case a.long:
		return result{}, fmt.Errorf("%w: its byte code has more than %d bytes", errSource, maxCode)
	case a.head.Status != 200:
		return result{}, fmt.Errorf("%w: %.200q", errSource, a.body.Bytes())
	}
	for _, h := range a.head.Headers {
		if h.Key == "X-Cache-Tag" && isTag(h.Value) {
			return result{h.Value, a.body.Bytes()}, nil
		}
	}
	return result{}, fmt.Errorf("%w: the compiler does not say for what version", errSource)
}

// maxTag is the length of a tag, in bytes.
const maxTag = 40

// isTag is for what becomes a part of a file's name.
func isTag(text string) bool {
	return text != "" && len(text) <= maxTag && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
