// Command genopenapi writes the OpenAPI document of the admin API.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"github.com/wasgi/wasgi/host/admin/api"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "genopenapi:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	nobody := struct{ api.Backend }{} // the document asks it nothing
	text, err := json.Marshal(api.New(api.Config{Backend: nobody, Version: "1", Log: slog.New(slog.DiscardHandler)}).Document())
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	return os.WriteFile(file, out.Bytes(), 0o644)
}
