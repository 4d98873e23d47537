// Command genheader writes the C header of the ABI to the file it is given.
package main

import (
	"fmt"
	"os"

	"github.com/wasgi/wasgi/abi"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: genheader FILE")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], []byte(abi.CHeader()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "genheader:", err)
		os.Exit(1)
	}
}
