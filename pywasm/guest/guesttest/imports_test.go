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
		abi.ImportBodyRead:      bodyRead,
		abi.ImportLog:           logText,
		abi.ImportMeter:         func() int32 { return 1 << 30 },
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
	case flags&^abi.WriteLast != 0:
		return abi.EINVAL.Result()
	case !x.started:
		return abi.ESTATE.Result()
	case x.goneAfter != 0 && x.writes >= x.goneAfter:
		return abi.EPIPE.Result()
	}
	x.calls = append(x.calls, call{data: string(b), last: flags == abi.WriteLast})
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
