// Package abi is the contract between the Go host and the WebAssembly guest:
// names, version, byte layouts, limits and error numbers. It knows nothing of
// wazero and imports the standard library only, so that both sides, the tests
// and the C header are made from one place. pywasm/guest/abi.h is generated
// from it (go generate ./abi) and a test says when that file is stale.
//
// # Rules
//
//   - Integers are little-endian. Strings are a length and bytes, without a
//     terminator. Bytes of environ and of headers are ISO 8859-1 (PEP 3333,
//     "Unicode Issues"); other texts are UTF-8.
//   - Every pointer and length that the guest passes is checked against its
//     linear memory; the host caps a length before it allocates.
//   - Functions return numbers. Zero or more is success, less than zero is the
//     negated [Errno]. Nothing panics on guest data.
//   - Decoders are iterative: no guest data can deepen a Go stack.
//
// # Host imports, module "wasgi"
//
//	response_start(ptr i32, len i32) i32
//	    Hands over status and headers, laid out as [ResponseHead] says. Nothing
//	    reaches the client before the first response_write or the end of
//	    handle. 0, or -EINVAL (malformed), -EFAULT (out of memory bounds),
//	    -E2BIG (above MaxResponseHead or MaxHeaders), -ESTATE (a byte of the
//	    body has already been sent, or no request is running).
//	    A second call before the first byte replaces the first (exc_info).
//
//	response_write(ptr i32, len i32, flags i32) i32
//	    Transmits body bytes. Blocks while the client is slower than the guest
//	    (back pressure). flags: WriteLast says that no byte follows, so that
//	    the host may set Content-Length; WriteFlush, with no bytes, sends the
//	    head alone. Without bytes and flags nothing is sent and the question is
//	    whether the client is still there, before response_start too. 0, or
//	    -EPIPE (the client has gone: stop iterating and call close()), -EFAULT,
//	    -ESTATE (before response_start, or after the last byte), -EINVAL
//	    (unknown flag, or WriteFlush with bytes).
//
//	response_file(fd i32, offset i64, limit i64) i64
//	    Sends what is in an open file of the guest, from offset to its end, but
//	    not more than limit bytes, as the last bytes of the body. fd is a
//	    descriptor of wasi_snapshot_preview1, a regular file that is open for
//	    reading; its own position is neither used nor moved. The number of bytes that are
//	    sent, or will be sent after the guest has given up the descriptor: those that the
//	    file had when it was looked at. Or -EINVAL (no such file, or a
//	    negative number: nothing was sent, and the guest may read and write
//	    instead), -ESTATE as response_write, -EPIPE (the client has gone), -EIO
//	    (the file could not be read to its end: the response is broken off).
//	    For example fd 9, offset 4, limit 2^63-1 of a file of ten bytes: 6.
//
//	response_hints(ptr i32, len i32) i32
//	    Sends headers ahead of the response, as 103 Early Hints (RFC 8297),
//	    laid out as a [ResponseHead] with the status 103 and no reason. Nothing
//	    happens where the client's protocol knows no such answers (HTTP/1.0). 0,
//	    or -EINVAL, -EFAULT, -E2BIG (as response_start, or above MaxHints
//	    calls), -ESTATE (the head has been sent), -EPIPE (the client has gone).
//
//	body_read(ptr i32, len i32) i32
//	    Reads up to len bytes of the request body, which has been received
//	    whole. Number of bytes, 0 at the end, or -EFAULT, -EIO, -ESTATE.
//
//	log(level i32, ptr i32, len i32) i32
//	    One piece of UTF-8 text for the tenant's log; see [LogLevel]. Bytes
//	    above MaxLog are cut off. 0, or -EFAULT, -EINVAL (unknown level).
//
//	meter() i32
//	    Called by metered loops when the fuel is used up. Returns the new fuel.
//	    It does not return when the guest must stop: the call is unwound and
//	    the instance is discarded.
//
// # Host imports, module "wasgi_files"
//
// What WASI lacks of POSIX for files: see [FilesModule].
//
// # Host imports, module "wasgi_socket"
//
// What WASI lacks of POSIX for sockets: see [SocketModule].
//
// # Guest exports
//
//	wasgi_abi_version() i32
//	    The Version the guest was built with. The host refuses any other.
//
//	wasgi_alloc(len i32) i32
//	    Address of the guest's message buffer with room for len bytes, 0 if
//	    there is no memory. One buffer: valid until the next wasgi_alloc.
//
//	wasgi_boot(len i32) i32
//	    Starts the interpreter. The message is [Boot].
//
//	wasgi_load(len i32) i32
//	    Imports the application. The message is [Load].
//
//	wasgi_handle(len i32) i32
//	    Serves one request. The message is an [Environ].
//
//	wasgi_run() i32
//	    Runs what the boot message's arguments ask for, as the python command
//	    does, and returns the exit status (0 to 255).
//
//	wasgi_before_snapshot() i32
//	    Collects garbage, runs the hooks that os.register_at_fork registered
//	    as before, and leaves no Python frame alive.
//
//	wasgi_after_restore() i32
//	    Draws new random state and runs the hooks registered as
//	    after_in_child. Called once in every restored instance.
//
//	wasgi_interrupt(signal i32) i32
//	    Asks the running call to end: [SignalTime] or [SignalInterrupt] is
//	    raised in Python at the next place where it looks for signals. The host
//	    calls it from inside meter or a waiting import, while another export
//	    runs: the guest does no more than a signal handler may. The host moves
//	    __stack_pointer down by [InterruptRedZone] before and puts it back
//	    after, for what a leaf function keeps below it. StatusOK, or
//	    StatusState when nothing can be raised yet; the host then stops the
//	    guest at once.
//
//	memory, __stack_pointer, wasgi_fuel
//	    Linear memory, and every mutable global: together the whole state.
//
// The exports that return a status return a [Status]. A traceback has been
// passed to log before StatusException is returned.
//
// # A worked example
//
// EncodeEnviron of REQUEST_METHOD=GET and X=ab, in hexadecimal:
//
//	02 00 00 00              two entries
//	01 00 00 00 03 00 00 00  key 1 (REQUEST_METHOD), no literal, value of 3
//	47 45 54                 GET
//	00 00 01 00 02 00 00 00  literal key of 1, value of 2
//	58 61 62                 X ab
package abi
