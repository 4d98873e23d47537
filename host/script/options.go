package script

import (
	"fmt"
	"io"
	"time"

	"github.com/wasgi/wasgi/host/config"
)

// NoApp is the value of Options.App that takes no application, not even the
// one in the current folder.
const NoApp = "none"

// Options are one command line.
type Options struct {
	Mounts   []Mount
	Env      []string // NAME=value; over the application's, if there is one
	App      string   // folder of an application; "" is the current one if it is one; or NoApp
	StateDir string   // as serve has it; "" is the default
	Memory   uint64   // bytes of linear memory; 0 is the default
	Timeout  time.Duration
	Allow    []string // whom the program may connect to, over what its application may; tenants/destination
	Args     []string // python's command line, without argv[0]

	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// SetMemory reads a size such as 512MiB.
func (o *Options) SetMemory(text string) error {
	n, err := config.ParseBytes(text)
	if err != nil {
		return fmt.Errorf("--memory: %w", err)
	}
	o.Memory = uint64(n)
	return nil
}

// SetTimeout reads a time span such as 30s.
func (o *Options) SetTimeout(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return fmt.Errorf("--timeout %q: want a time span such as 30s", text)
	}
	o.Timeout = d
	return nil
}
