package abi

import (
	"fmt"
	"slices"
	"strings"
)

// CHeader is the text of pywasm/guest/abi.h.
func CHeader() string {
	var b strings.Builder
	b.WriteString("/* Generated from package abi (go generate ./abi). Do not edit. */\n")
	b.WriteString("#ifndef WASGI_ABI_H\n#define WASGI_ABI_H\n\n")
	writeNumbers(&b)
	writeStrings(&b)
	writeKeys(&b)
	b.WriteString("\n#endif\n")
	return b.String()
}

type headerNumber struct {
	name  string
	value int
}

func writeNumbers(b *strings.Builder) {
	for _, d := range append([]headerNumber{
		{"VERSION", Version},
		{"WRITE_LAST", WriteLast},
		{"WRITE_FLUSH", WriteFlush},
		{"MAX_MESSAGE", MaxMessage},
		{"MAX_ENTRIES", MaxEntries},
		{"MAX_RESPONSE_HEAD", MaxResponseHead},
		{"MAX_HEADERS", MaxHeaders},
		{"MAX_HINTS", MaxHints},
		{"MAX_LOG", MaxLog},
		{"SIGNAL_INTERRUPT", SignalInterrupt},
		{"SIGNAL_TIME", SignalTime},
		{"EINVAL", int(EINVAL)},
		{"EFAULT", int(EFAULT)},
		{"E2BIG", int(E2BIG)},
		{"ESTATE", int(ESTATE)},
		{"EPIPE", int(EPIPE)},
		{"EIO", int(EIO)},
		{"EACCESS", int(EACCESS)},
		{"STATUS_OK", int(StatusOK)},
		{"STATUS_EXCEPTION", int(StatusException)},
		{"STATUS_INVALID", int(StatusInvalid)},
		{"STATUS_STATE", int(StatusState)},
		{"STATUS_MEMORY", int(StatusMemory)},
		{"STATUS_ENTRY", int(StatusEntry)},
		{"STATUS_INTERNAL", int(StatusInternal)},
		{"LOG_ERRORS", int(LogErrors)},
		{"LOG_TRACEBACK", int(LogTraceback)},
		{"LOG_GATEWAY", int(LogGateway)},
	}, slices.Concat(filesNumbers(), socketNumbers())...) {
		fmt.Fprintf(b, "#define WASGI_%s %d\n", d.name, d.value)
	}
}

func writeStrings(b *strings.Builder) {
	b.WriteByte('\n')
	for _, d := range append([][2]string{
		{"MODULE", Module},
		{"IMPORT_RESPONSE_START", ImportResponseStart},
		{"IMPORT_RESPONSE_WRITE", ImportResponseWrite},
		{"IMPORT_RESPONSE_FILE", ImportResponseFile},
		{"IMPORT_RESPONSE_HINTS", ImportResponseHints},
		{"IMPORT_BODY_READ", ImportBodyRead},
		{"IMPORT_LOG", ImportLog},
		{"IMPORT_METER", ImportMeter},
		{"EXPORT_VERSION", ExportVersion},
		{"EXPORT_ALLOC", ExportAlloc},
		{"EXPORT_BOOT", ExportBoot},
		{"EXPORT_LOAD", ExportLoad},
		{"EXPORT_HANDLE", ExportHandle},
		{"EXPORT_RUN", ExportRun},
		{"EXPORT_BEFORE_SNAPSHOT", ExportBeforeSnapshot},
		{"EXPORT_AFTER_RESTORE", ExportAfterRestore},
		{"EXPORT_INTERRUPT", ExportInterrupt},
		{"BOOT_MODE", BootMode},
		{"BOOT_ARG", BootArg},
		{"BOOT_PATH", BootPath},
		{"BOOT_CWD", BootCwd},
		{"BOOT_MODE_WSGI", BootModeWSGI},
		{"BOOT_MODE_PYTHON", BootModePython},
		{"BOOT_MODE_SPARE", BootModeSpare},
		{"LOAD_ENTRY", LoadEntry},
		{"LOAD_ENVIRON", LoadEnviron},
	}, slices.Concat(filesStrings(), socketStrings())...) {
		fmt.Fprintf(b, "#define WASGI_%s %q\n", d[0], d[1])
	}
}

func writeKeys(b *strings.Builder) {
	keys := WellKnownKeys()
	fmt.Fprintf(b, "\n#define WASGI_KEY_COUNT %d\n", len(keys))
	b.WriteString("#define WASGI_KEYS \\\n")
	for i, k := range keys {
		fmt.Fprintf(b, "\t/* %d */ %q,", i, k)
		if i < len(keys)-1 {
			b.WriteString(" \\")
		}
		b.WriteByte('\n')
	}
}
