package sandbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/sys"

	"github.com/wasgi/wasgi/abi"
)

// messageSlack is how much room is asked for at least, so that most messages
// fit the buffer that the image already holds.
const messageSlack = 16 << 10

// call runs an export until it returns, the context ends, or the guest must
// stop. A result without an error is what the guest returned.
func (in *Instance) call(ctx context.Context, x export, first, second uint32) (int32, *Error) {
	f := in.exports[x]
	if f == nil {
		f = in.module.ExportedFunction(guestExports()[x].name)
		in.exports[x] = f
	}
	in.trace.reset()
	in.fatal = nil
	in.memory.refused = false
	in.begin(ctx)
	defer in.giveUpStack(x) // after finish, which books the last of the CPU time
	defer in.finish()
	in.stack = [2]uint64{uint64(first), uint64(second)}
	if err := f.CallWithStack(in.ctx, in.stack[:]); err != nil {
		return 0, in.classify(err)
	}
	return int32(uint32(in.stack[0])), in.ended()
}

// begin opens the account of a call and fills the fuel up.
func (in *Instance) begin(ctx context.Context) {
	in.sandbox.SetContext(ctx)
	limit := time.Duration(0)
	if in.exchange.responder != nil { // the limit is a request's; a start has its timeout
		limit = in.spec.CPULimit
	}
	in.account.open(ctx, limit)
	in.books.begin(uint32(in.stackPointer.Get()))
	in.fuel.Set(uint64(in.account.refill()))
}

// finish closes the account. After proc_exit only wazero's own copy of the
// global is left, and that is all that is read.
func (in *Instance) finish() {
	in.account.close(in.fuelLeft())
	in.settle()
	in.audit()
	in.sandbox.SetContext(context.Background())
}

func (in *Instance) fuelLeft() int32 { return int32(uint32(in.fuel.Get())) }

// send runs an export on a message.
func (in *Instance) send(ctx context.Context, x export, message []byte) *Error {
	if err := in.put(ctx, message); err != nil {
		return err
	}
	status, err := in.call(ctx, x, uint32(len(message)), 0)
	if err != nil {
		return err
	}
	return statusError(abi.Status(status), in.trace.String())
}

// put copies a message into the guest's buffer.
func (in *Instance) put(ctx context.Context, message []byte) *Error {
	if len(message) > abi.MaxMessage {
		return &Error{Kind: KindInvalid, Detail: fmt.Sprintf("a message of %d bytes is above %d", len(message), abi.MaxMessage)}
	}
	if len(message) > int(in.buffer.size) {
		if err := in.allocate(ctx, uint32(len(message))); err != nil {
			return err
		}
	}
	view, ok := in.view(in.buffer.address, in.buffer.size)
	if !ok {
		return &Error{Kind: KindInvalid, Detail: "the message buffer lies outside memory"}
	}
	copy(view, message)
	return nil
}

func (in *Instance) allocate(ctx context.Context, size uint32) *Error {
	size = max(size, messageSlack)
	in.buffer = messageBuffer{}
	address, err := in.call(ctx, callAlloc, size, 0)
	if err != nil {
		return err
	}
	if address == 0 {
		return &Error{Kind: KindMemory, Status: abi.StatusMemory, Detail: fmt.Sprintf("the guest has no room for a message of %d bytes", size)}
	}
	if _, ok := in.view(uint32(address), size); !ok {
		return &Error{Kind: KindInvalid, Detail: fmt.Sprintf("%s(%d) answered %#x, outside memory", abi.ExportAlloc, size, uint32(address))}
	}
	in.buffer = messageBuffer{uint32(address), size}
	return nil
}

// view is a piece of guest memory, valid until the guest runs again.
func (in *Instance) view(address, size uint32) ([]byte, bool) {
	return in.module.Memory().Read(address, size)
}

// classify finds out why wazero unwound a call.
func (in *Instance) classify(err error) *Error {
	if in.fatal != nil {
		return in.fatal
	}
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return &Error{Kind: KindExit, Code: int(exit.ExitCode()), Traceback: in.trace.String()}
	}
	var fault runtime.Error
	if errors.As(err, &fault) {
		in.logger().Error("a host function panicked", "tenant", in.spec.Name, "trace", err.Error())
		return &Error{Kind: KindHost, Detail: "a host function panicked", Err: fault}
	}
	e := &Error{Kind: KindTrap, Detail: firstFrames(err.Error()), Traceback: in.trace.String()}
	if in.memory.refused {
		e.Kind = KindMemory
		e.Detail = "the memory limit was reached: " + e.Detail
	}
	return e
}

// firstFrames keeps the first lines of wazero's stack trace, on one line.
func firstFrames(s string) string {
	lines := strings.SplitN(s, "\n", 6)
	if len(lines) == 6 {
		lines = append(lines[:5], "…")
	}
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, " ")
}

// fail names the call and the tenant, and ends the instance unless Python's
// exception was all that happened.
func (in *Instance) fail(op string, e *Error) error {
	e.Op = op
	e.Tenant = in.spec.Name
	if e.Kind != KindException {
		in.kill()
	}
	return e
}

// kill ends the instance, wherever it stands.
func (in *Instance) kill() {
	for s := in.now(); s != StateDead && s != StateClosed; s = in.now() {
		_ = in.move(StateDead)
	}
}

// killed is what a host function panics with. wazero unwinds the guest and
// returns it as an error; the reason is in Instance.fatal.
type killed struct{}

func (killed) Error() string { return "sandbox: the guest was stopped" }

// stop unwinds the guest. Only host functions may call it.
func (in *Instance) stop(e *Error) {
	e.Traceback = in.trace.String()
	in.fatal = e
	panic(killed{})
}

// contain turns a panic of host code into the end of the instance, so that it
// is not the end of the process. It is deferred by every host function.
func (in *Instance) contain() {
	r := recover()
	if r == nil {
		return
	}
	if _, ok := r.(killed); !ok {
		in.logger().Error("a host function panicked", "tenant", in.spec.Name, "panic", r, "trace", string(debug.Stack()))
		in.fatal = panicError(r)
	}
	panic(killed{})
}

func panicError(r any) *Error {
	err, ok := r.(error)
	if !ok {
		err = fmt.Errorf("%v", r)
	}
	return &Error{Kind: KindHost, Detail: "a host function panicked", Err: err}
}
