package guesttest

import (
	"os"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

func TestScript(t *testing.T) {
	in := start(t, abi.BootModePython, "python", os.Getenv("SCRIPT"))
	t.Log("status", in.call(in.context(in.boot), abi.ExportRun), "\n", in.stdout.String())
}
