// Package wasi is what a guest may touch: files, sockets, clocks, random bytes, standard streams and sleep, and nothing else.
//
// # The way through it
//
// Once for each wazero runtime, Instantiate exports the module wasi_snapshot_preview1. Its functions for files,
// arguments, environment, sleep and random bytes are this package's own; wazero's must not be linked to a guest
// (DESIGN.md says why, and a guest that is linked with them fails at its first file with a message that says so).
//
// Once for each instance, Policy.NewSandbox checks the policy and makes a Sandbox; then
//
//	ctx = sandbox.Context(ctx)                                 // every call into the guest carries it
//	module, err := runtime.InstantiateModule(ctx, compiled, wasi.ModuleConfig().WithName(""))
//	…
//	sandbox.OpenFiles()                                        // before a snapshot: must be empty
//	sandbox.SetContext(request); sandbox.OnSleep(before, after) // before a request
//	sandbox.Reset()                                            // fresh mode: after a request
//	sandbox.Close()                                            // with the module
//
// A call of the guest passes three walls. The functions in preview1*.go check every pointer, length and descriptor,
// and cap before they allocate. parsePath takes the path apart and refuses what is absolute, rises above its start or
// exceeds a limit. The file system (Archive, ReadOnlyDir, WritableDir, Memory) does the rest, on directories of the
// host through os.Root, which the kernel's openat keeps inside.
//
// # What it must never do
//
// It never panics on what a guest hands it, never opens anything but regular files and directories, never connects but
// through Policy.Network, never creates a link, never gives a host path, device number, environment variable or argument to a guest, never keeps a goroutine,
// and never lets one sandbox see the descriptors, the memory or the buffers of another.
//
// It may import abi, wazero, golang.org/x/sys and the standard library.
package wasi
