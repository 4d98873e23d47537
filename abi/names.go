package abi

//go:generate go run ./genheader ../pywasm/guest/abi.h

// Version is what wasgi_abi_version must return. It grows with every change
// that an older guest or host would misunderstand.
const Version = 4

// Module is the name of the import module that the host provides.
const Module = "wasgi"

// Names of the host imports.
const (
	ImportResponseStart = "response_start"
	ImportResponseWrite = "response_write"
	ImportResponseFile  = "response_file"
	ImportResponseHints = "response_hints"
	ImportBodyRead      = "body_read"
	ImportLog           = "log"
	ImportMeter         = "meter"
)

// Names of the guest exports.
const (
	ExportVersion        = "wasgi_abi_version"
	ExportAlloc          = "wasgi_alloc"
	ExportBoot           = "wasgi_boot"
	ExportLoad           = "wasgi_load"
	ExportHandle         = "wasgi_handle"
	ExportRun            = "wasgi_run"
	ExportBeforeSnapshot = "wasgi_before_snapshot"
	ExportAfterRestore   = "wasgi_after_restore"
	ExportInterrupt      = "wasgi_interrupt"
	ExportMemory         = "memory"
	ExportStackPointer   = "__stack_pointer"
	ExportFuel           = "wasgi_fuel"
)

// Signals that wasgi_interrupt takes, with the numbers of POSIX systems.
const (
	SignalInterrupt = 2  // SIGINT: Python raises KeyboardInterrupt in mode python
	SignalTime      = 24 // SIGXCPU: Python raises wasgi.TimeOver
)

// InterruptRedZone is how many bytes below __stack_pointer may be in use when
// wasgi_interrupt is called. LLVM's red zone is 128.
const InterruptRedZone = 512

// Flags of response_write; it takes one of them or none.
const (
	WriteLast  = 1 // no byte follows
	WriteFlush = 2 // the head is to go out now, though there is no byte of the body yet
)

// Limits of the contract. A message above them is refused with E2BIG on the
// host's side and StatusInvalid on the guest's.
const (
	MaxMessage      = 1 << 20   // bytes of a message to the guest
	MaxEntries      = 1024      // entries of a message
	MaxResponseHead = 256 << 10 // bytes of an encoded response head
	MaxHeaders      = 512       // response headers
	MaxHints        = 16        // calls of response_hints for one request
	MaxLog          = 64 << 10  // bytes of one log call that are kept
)
