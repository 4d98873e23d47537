package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/pywasm"
)

// versionInfo is what `wasgi version --json` prints.
type versionInfo struct {
	Wasgi    string           `json:"wasgi"`
	Go       string           `json:"go"`
	Platform string           `json:"platform"`
	Wazero   string           `json:"wazero"` // its version, and whether it has the patch of host/sandbox/wazero
	ABI      int              `json:"abi"`
	Guest    *pywasm.Manifest `json:"guest"` // null when the guest is not built
}

func newVersion() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of wasgi and of the Python inside",
		Example: `  wasgi version
  wasgi version --json   with digest and licence of every source of the guest`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			info, err := readVersion()
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(c.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(info)
			}
			return printVersion(c.OutOrStdout(), info)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func readVersion() (versionInfo, error) {
	info := versionInfo{
		Wasgi:    version,
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Wazero:   wazeroVersion(debug.ReadBuildInfo()),
		ABI:      abi.Version,
	}
	art, err := pywasm.Load()
	if errors.Is(err, pywasm.ErrMissing) {
		return info, nil
	}
	if err != nil {
		return info, err
	}
	m := art.Manifest()
	info.Guest = &m
	return info, nil
}

func printVersion(w io.Writer, info versionInfo) error {
	guest := "not built (run make guest)"
	if info.Guest != nil {
		guest = "CPython " + info.Guest.Python
	}
	_, err := fmt.Fprintf(w, "wasgi %s\n%s %s\nguest: %s, ABI %d\nwazero %s\n", info.Wasgi, info.Go, info.Platform, guest, info.ABI, info.Wazero)
	return err
}

// wazeroVersion is how the binary's wazero was made.
func wazeroVersion(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "unknown"
	}
	for _, d := range info.Deps {
		switch {
		case d.Path != "github.com/tetratelabs/wazero":
		case d.Replace != nil:
			return d.Version + ", patched"
		default:
			return d.Version + ", as released: guests are slower than those of make build"
		}
	}
	return "unknown"
}
