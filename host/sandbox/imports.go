package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasgi/wasgi/abi"
)

// hostFunction gets its parameters as u32 and returns what the guest sees.
type hostFunction func(in *Instance, p [3]uint32) int32

// instantiateImports makes the module "wasgi", once for all instances.
func instantiateImports(ctx context.Context, r wazero.Runtime) error {
	builder := r.NewHostModuleBuilder(abi.Module)
	for _, f := range []struct {
		name   string
		params int
		code   hostFunction
	}{
		{abi.ImportResponseStart, 2, (*Instance).responseStart},
		{abi.ImportResponseWrite, 3, (*Instance).responseWrite},
		{abi.ImportResponseHints, 2, (*Instance).responseHints},
		{abi.ImportBodyRead, 2, (*Instance).bodyRead},
		{abi.ImportLog, 3, (*Instance).log},
		{abi.ImportMeter, 0, (*Instance).meter},
	} {
		params := []api.ValueType{api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32}[:f.params]
		builder.NewFunctionBuilder().
			WithGoModuleFunction(adapt(f.code, f.params), params, []api.ValueType{api.ValueTypeI32}).
			Export(f.name)
	}
	i32, i64 := api.ValueTypeI32, api.ValueTypeI64
	builder.NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(sendFile), []api.ValueType{i32, i64, i64}, []api.ValueType{i64}).
		Export(abi.ImportResponseFile)
	if _, err := builder.Instantiate(ctx); err != nil {
		return fmt.Errorf("sandbox: instantiating the host module: %w", err)
	}
	return nil
}

func adapt(f hostFunction, params int) api.GoModuleFunc {
	return func(ctx context.Context, _ api.Module, stack []uint64) {
		c, ok := ctx.(*callContext)
		if !ok {
			stack[0] = uint64(uint32(abi.ESTATE.Result()))
			return
		}
		defer c.instance.contain()
		var p [3]uint32
		for i := range params {
			p[i] = uint32(stack[i])
		}
		stack[0] = uint64(uint32(f(c.instance, p)))
	}
}

func sendFile(ctx context.Context, _ api.Module, stack []uint64) {
	c, ok := ctx.(*callContext)
	if !ok {
		stack[0] = uint64(abi.ESTATE.Result())
		return
	}
	defer c.instance.contain()
	stack[0] = uint64(c.instance.responseFile(uint32(stack[0]), int64(stack[1]), int64(stack[2])))
}

// meter is where every guest comes by about each millisecond, and where it
// ends when it must.
func (in *Instance) meter([3]uint32) int32 {
	now := time.Now()
	in.account.spent(now, in.fuelLeft())
	in.mayGoOn(now)
	in.watch()
	in.takeTurns(now)
	return in.account.refill()
}

// hurry has the guest come by the meter at its next turn. The fuel that it got
// for a millisecond of its own lasts for thousands of calls that each take the
// host one.
func (in *Instance) hurry() {
	in.account.cut(in.fuelLeft())
	in.fuel.Set(0)
}

// outside runs f, during which the guest waits for the host.
func (in *Instance) outside(f func() error) error {
	in.account.pause()
	err := f()
	in.account.resume()
	in.mayGoOn(in.account.since)
	return err
}

// takeTurns lets others run when this guest has had its slice: first whoever
// needs a processor, to read a request perhaps, and then whoever waits to run a
// guest.
func (in *Instance) takeTurns(now time.Time) {
	if now.Sub(in.account.turn) < slice {
		return
	}
	in.account.pause()
	in.engine.yield(in.exchange.responder != nil)
	if y, ok := in.exchange.responder.(Yielder); ok {
		y.Yield()
	}
	in.account.resume()
	in.account.turn = in.account.since
	in.mayGoOn(in.account.since)
}

func (in *Instance) beforeSleep() {
	in.account.pause()
	if w, ok := in.exchange.responder.(Waiter); ok {
		w.Pause()
	}
}

// afterSleep ends a guest whose deadline cut the sleep short: it must not go on
// as if it had slept its time.
func (in *Instance) afterSleep() {
	if w, ok := in.exchange.responder.(Waiter); ok {
		w.Resume()
	}
	in.account.resume()
	if in.account.ctx != nil {
		in.mayGoOn(in.account.since)
	}
}

func (in *Instance) responseStart(p [3]uint32) int32 {
	x := &in.exchange
	if x.responder == nil || x.started {
		return abi.ESTATE.Result()
	}
	if p[1] > abi.MaxResponseHead {
		return in.outOfBoundsOr(p[0], p[1], abi.E2BIG)
	}
	view, ok := in.view(p[0], p[1])
	if !ok {
		return abi.EFAULT.Result()
	}
	head, err := abi.DecodeResponseHead(view)
	if err != nil {
		return result(err, abi.EINVAL)
	}
	x.head, x.hasHead = head, true
	return 0
}

// outOfBoundsOr prefers EFAULT, so that a wild length is called one.
func (in *Instance) outOfBoundsOr(address, size uint32, e abi.Errno) int32 {
	if _, ok := in.view(address, size); !ok {
		return abi.EFAULT.Result()
	}
	return e.Result()
}

func (in *Instance) responseWrite(p [3]uint32) int32 {
	x := &in.exchange
	view, ok := in.view(p[0], p[1])
	switch {
	case !ok:
		return abi.EFAULT.Result()
	case p[2] > abi.WriteFlush || p[2] == abi.WriteFlush && len(view) > 0:
		return abi.EINVAL.Result()
	case p[2] == 0 && len(view) == 0 && x.responder != nil:
		return in.present()
	case !x.hasHead || x.last:
		return abi.ESTATE.Result()
	}
	send := func() error { return x.write(view, p[2] == abi.WriteLast) }
	if p[2] == abi.WriteFlush {
		send = x.flush
	}
	if err := in.outside(send); err != nil {
		return abi.EPIPE.Result()
	}
	return 0
}

func (in *Instance) bodyRead(p [3]uint32) int32 {
	view, ok := in.view(p[0], p[1])
	switch {
	case !ok:
		return abi.EFAULT.Result()
	case in.exchange.responder == nil:
		return abi.ESTATE.Result()
	case in.exchange.body == nil || len(view) == 0:
		return 0
	}
	var n int
	err := in.outside(func() (err error) {
		n, err = ReadSome(in.exchange.body, view[:min(len(view), maxRead)])
		return err
	})
	if err != nil {
		return abi.EIO.Result()
	}
	return int32(n)
}

func (in *Instance) log(p [3]uint32) int32 {
	level := abi.LogLevel(p[0])
	view, ok := in.view(p[1], p[2])
	switch {
	case !ok:
		return abi.EFAULT.Result()
	case !level.Valid():
		return abi.EINVAL.Result()
	}
	in.record(level, cutText(view))
	in.hurry() // a text may be thousands of lines
	return 0
}

// result is the number for an error of package abi.
func result(err error, otherwise abi.Errno) int32 {
	var e abi.Errno
	if errors.As(err, &e) {
		return e.Result()
	}
	return otherwise.Result()
}
