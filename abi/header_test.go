package abi_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

func TestHeaderIsNotStale(t *testing.T) {
	b, err := os.ReadFile("../pywasm/guest/abi.h")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(abi.CHeader(), string(b)); diff != "" {
		t.Errorf("pywasm/guest/abi.h is stale: run go generate ./abi\n%s", diff)
	}
}

// TestHeaderGolden keeps the lines by which C code finds its way.
func TestHeaderGolden(t *testing.T) {
	want := []string{
		"#define WASGI_VERSION 4\n", "#define WASGI_WRITE_LAST 1\n", "#define WASGI_MAX_MESSAGE 1048576\n",
		"#define WASGI_EPIPE 5\n", "#define WASGI_STATUS_EXCEPTION 1\n", "#define WASGI_LOG_TRACEBACK 1\n",
		"#define WASGI_IMPORT_METER \"meter\"\n", "#define WASGI_KEY_COUNT 44\n", "#define WASGI_FILES_LOCK \"fd_lock\"\n",
		"#define WASGI_FILE_MODE_OFFSET 18\n", "#define WASGI_USER_ID 1000\n", "\t/* 1 */ \"REQUEST_METHOD\", \\\n",
		"\t/* 43 */ \"wasgi.request_id\",\n",
	}
	text := abi.CHeader()
	for _, line := range want {
		if !strings.Contains(text, line) {
			t.Errorf("the header lacks %q", line)
		}
	}
}

func TestNamesOfNumbers(t *testing.T) {
	for e, want := range map[abi.Errno]string{
		abi.OK: "OK", abi.EINVAL: "EINVAL", abi.EFAULT: "EFAULT", abi.E2BIG: "E2BIG", abi.ESTATE: "ESTATE",
		abi.EPIPE: "EPIPE", abi.EIO: "EIO", abi.EACCESS: "EACCESS", 8: "Errno(8)", -1: "Errno(-1)",
	} {
		if e.String() != want || e.Error() != "abi: "+want || e.Result() != -int32(e) {
			t.Errorf("%d: %s, %s, %d", int32(e), e, e.Error(), e.Result())
		}
	}
	for s, want := range map[abi.Status]string{
		abi.StatusOK: "ok", abi.StatusException: "exception", abi.StatusInvalid: "invalid message",
		abi.StatusState: "wrong state", abi.StatusMemory: "no memory", abi.StatusEntry: "no such entry point",
		abi.StatusInternal: "internal error", 7: "Status(7)", -1: "Status(-1)",
	} {
		if s.String() != want {
			t.Errorf("%d: %s, want %s", int32(s), s, want)
		}
	}
	for l := abi.LogLevel(-1); l < 5; l++ {
		if got, want := l.Valid(), l >= abi.LogErrors && l <= abi.LogGateway; got != want {
			t.Errorf("LogLevel(%d).Valid() = %v", l, got)
		}
	}
}
