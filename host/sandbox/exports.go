package sandbox

import "github.com/wasgi/wasgi/abi"

// export numbers a guest export within an instance.
type export int

const (
	callVersion export = iota
	callAlloc
	callBoot
	callLoad
	callHandle
	callRun
	callBeforeSnapshot
	callAfterRestore
	callInterrupt
	exportCount
)

type guestExport struct {
	name   string
	params int
}

// guestExports lists what a guest must export, in the order of the numbers.
// All parameters and the one result are i32.
func guestExports() [exportCount]guestExport {
	return [exportCount]guestExport{
		{abi.ExportVersion, 0},
		{abi.ExportAlloc, 1},
		{abi.ExportBoot, 1},
		{abi.ExportLoad, 1},
		{abi.ExportHandle, 1},
		{abi.ExportRun, 0},
		{abi.ExportBeforeSnapshot, 0},
		{abi.ExportAfterRestore, 0},
		{abi.ExportInterrupt, 1},
	}
}
