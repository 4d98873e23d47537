// Command genreference writes the reference of the server's configuration to the
// file it is given, from the comments of config.Config and the defaults.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: genreference FILE")
		os.Exit(2)
	}
	text, err := render("config.go")
	if err == nil {
		err = os.WriteFile(os.Args[1], []byte(text), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "genreference:", err)
		os.Exit(1)
	}
}
