package bytecode

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// place is the folder of sources that a worker is in, and the one for their byte
// code. Sources come folder by folder: with every path walked from the top, a
// deploy of Flask took 50 ms more.
type place struct {
	name    string
	sources *os.Root
	cache   *os.Root // nil until it is needed, and where there can be none
	tried   bool
}

func (p *place) close() {
	if p.sources != nil {
		_ = p.sources.Close()
	}
	if p.cache != nil {
		_ = p.cache.Close()
	}
	*p = place{}
}

// goTo moves to a folder below root.
func (p *place) goTo(root *os.Root, name string) (err error) {
	if p.sources != nil && p.name == name {
		return nil
	}
	p.close()
	p.name = name
	p.sources, err = root.OpenRoot(name)
	return err
}

// read is at most one byte longer than what may be compiled.
func (p *place) read(name string) ([]byte, error) {
	f, err := p.sources.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSource+1))
}

// write puts byte code where the interpreter looks for it, in place of what lies
// there. Where something of the folder's name is no folder, there will be none.
func (p *place) write(name string, code []byte) error {
	if err := p.open(); err != nil || p.cache == nil {
		return err
	}
	f, err := p.create(name)
	if errors.Is(err, fs.ErrExist) {
		if err := p.cache.RemoveAll(name); err != nil {
			return err
		}
		f, err = p.create(name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(code)
	return errors.Join(err, f.Close())
}

func (p *place) create(name string) (*os.File, error) {
	return p.cache.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
}

// open makes the folder for byte code.
func (p *place) open() (err error) {
	if p.tried {
		return nil
	}
	p.tried = true
	err = p.sources.Mkdir(cacheFolder, 0o755)
	if errors.Is(err, fs.ErrExist) {
		var info fs.FileInfo
		if info, err = p.sources.Lstat(cacheFolder); err == nil && !info.IsDir() {
			return nil
		}
	}
	if err != nil {
		return err
	}
	p.cache, err = p.sources.OpenRoot(cacheFolder)
	return err
}
