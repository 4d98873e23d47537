package guesttest

import (
	"context"
	"io"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasgi/wasgi/abi"
)

// The host imports: they write down what the guest does.

func instantiateImports(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder(abi.Module)
	for name, f := range map[string]any{
		abi.ImportResponseStart: responseStart,
		abi.ImportResponseWrite: responseWrite,
		abi.ImportResponseFile:  responseFile,
		abi.ImportResponseHints: responseHints,
		abi.ImportBodyRead:      bodyRead,
		abi.ImportLog:           logText,
		abi.ImportMeter:         func() int32 { return 1 << 30 },
	} {
		b = b.NewFunctionBuilder().WithFunc(f).Export(name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return err
	}
	return instantiateFiles(ctx, r)
}

// instantiateFiles makes the module for files as a host without it has it, but for
// modes and locks, which tarfile and SQLite insist on.
func instantiateFiles(ctx context.Context, r wazero.Runtime) error {
	const notImplemented = 52
	b := r.NewHostModuleBuilder(abi.FilesModule)
	for name, f := range map[string]any{
		abi.FilesDup:        func(int32, int32, int32) int32 { return notImplemented },
		abi.FilesDup2:       func(int32, int32) int32 { return notImplemented },
		abi.FilesCreateMode: func(int32) int32 { return notImplemented },
		abi.FilesFdChmod:    func(int32, int32) int32 { return 0 },
		abi.FilesPathChmod:  func(int32, int32, int32, int32, int32) int32 { return 0 },
		abi.FilesLock:       func(int32, int32, int32, int64, int64, int32) int32 { return 0 },
		abi.FilesFlock:      func(int32, int32) int32 { return 0 },
	} {
		b = b.NewFunctionBuilder().WithFunc(f).Export(name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

func responseStart(ctx context.Context, m api.Module, ptr, size uint32) int32 {
	x := exchangeOf(ctx)
	b, ok := m.Memory().Read(ptr, size)
	if !ok {
		return abi.EFAULT.Result()
	}
	head, err := abi.DecodeResponseHead(b)
	if err != nil {
		return err.(abi.Errno).Result()
	}
	x.started = true
	x.calls = append(x.calls, call{head: &head})
	return 0
}

func responseWrite(ctx context.Context, m api.Module, ptr, size, flags uint32) int32 {
	x := exchangeOf(ctx)
	b, ok := m.Memory().Read(ptr, size)
	switch x.writes++; {
	case !ok:
		return abi.EFAULT.Result()
	case flags > abi.WriteFlush:
		return abi.EINVAL.Result()
	case size == 0 && flags == 0: // a question, also before response_start
		x.calls = append(x.calls, call{asks: true})
		if x.goneAfter != 0 && x.writes >= x.goneAfter {
			return abi.EPIPE.Result()
		}
		return 0
	case !x.started:
		return abi.ESTATE.Result()
	case x.goneAfter != 0 && x.writes >= x.goneAfter:
		return abi.EPIPE.Result()
	}
	x.calls = append(x.calls, call{data: string(b), last: flags == abi.WriteLast, flush: flags == abi.WriteFlush})
	return 0
}

// responseFile sends nothing: what it was asked for is what counts. The offset
// says how it ends.
func responseFile(ctx context.Context, fd int32, offset, limit int64) int64 {
	x := exchangeOf(ctx)
	if !x.started {
		return int64(abi.ESTATE.Result())
	}
	x.calls = append(x.calls, call{file: &sentFile{fd, offset, limit}})
	switch {
	case offset == refusedOffset:
		return int64(abi.EINVAL.Result())
	case offset == goneOffset:
		return int64(abi.EPIPE.Result())
	case offset == brokenOffset:
		return int64(abi.EIO.Result())
	}
	return min(fileSize-offset, limit)
}

// What responseFile takes the file for.
const (
	fileSize      = 100
	refusedOffset = 90
	goneOffset    = 91
	brokenOffset  = 92
)

func responseHints(ctx context.Context, m api.Module, ptr, size uint32) int32 {
	b, ok := m.Memory().Read(ptr, size)
	if !ok {
		return abi.EFAULT.Result()
	}
	headers, err := abi.DecodeHints(b)
	if err != nil {
		return err.(abi.Errno).Result()
	}
	x := exchangeOf(ctx)
	if x.started {
		return abi.ESTATE.Result()
	}
	x.calls = append(x.calls, call{head: &abi.ResponseHead{Status: abi.StatusHints, Headers: headers}})
	return 0
}

func bodyRead(ctx context.Context, m api.Module, ptr, size uint32) int32 {
	b, ok := m.Memory().Read(ptr, size)
	if !ok {
		return abi.EFAULT.Result()
	}
	x := exchangeOf(ctx)
	if x.body == nil {
		return 0
	}
	n, err := x.body.Read(b)
	if err != nil && err != io.EOF {
		return abi.EIO.Result()
	}
	return int32(n)
}

func logText(ctx context.Context, m api.Module, level int32, ptr, size uint32) int32 {
	b, ok := m.Memory().Read(ptr, size)
	if !ok {
		return abi.EFAULT.Result()
	}
	x := exchangeOf(ctx)
	x.calls = append(x.calls, call{log: &logged{abi.LogLevel(level), string(b)}})
	return 0
}
