// Command wasgi hosts Python web applications, each in its own WebAssembly
// sandbox. One file for each sub-command; the work is done in package host.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "devel"

func main() {
	os.Exit(run(os.Args[1:]))
}

// interrupted is the exit status of a command that Ctrl-C or SIGTERM has ended, as
// shells have it for Ctrl-C.
const interrupted = 128 + int(syscall.SIGINT)

// run executes one command line and returns the exit status: 0 done, 1 failed,
// 2 wrong usage, 130 interrupted, or the status of the Python program.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once: the first one has restored
	// the default behaviour by then.
	context.AfterFunc(ctx, stop)
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var status exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "wasgi: interrupted")
		return interrupted
	default:
		fmt.Fprintln(os.Stderr, "wasgi:", err)
		return exitCodeOf(err)
	}
}

// exitStatus ends the process with a number and without a message.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// usageError marks a mistake on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitCodeOf(err error) int {
	if errors.As(err, &usageError{}) {
		return 2
	}
	return 1
}
