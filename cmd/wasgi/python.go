package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/script"
	"github.com/wasgi/wasgi/tenants/destination"
)

func newPython() *cobra.Command {
	return &cobra.Command{
		Use:   "python [wasgi options] [python options] [-c command | -m module | script | -] [arguments]",
		Short: "Run the sandboxed Python interpreter",
		Long: `Runs CPython in the sandbox. Arguments, streams and exit status are those of
the python command. The options of wasgi come first:

  --mount HOST:GUEST[:rw]   a folder that the program sees, read-only unless :rw
  --env NAME=VALUE          an environment variable; nothing else is inherited
  --app DIR                 run as this application: its code at /app, its
                            packages, its environment and its /data.
                            Without it the current folder is taken when it
                            holds an application; "none" turns that off
  --state-dir DIR           where releases and data are kept, as wasgi serve has it
  --allow HOST:PORTS        whom the program may connect to, besides what the
                            application's wasgi.toml allows: db.example:5432,
                            127.0.0.1:*, "*:443"
  --memory SIZE             linear memory, for instance 512MiB (default 256MiB)
  --timeout DURATION        end the program after this time (default none)

Without an application the current folder is at /work, read-only.`,
		Example: `  wasgi python -c 'import sys; print(sys.platform)'
  wasgi python -m json.tool < data.json
  wasgi python --mount ./out:/out:rw build.py
  cd mysite && wasgi python manage.py migrate`,
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
				return c.Help()
			}
			opt, err := parsePython(args)
			if err != nil {
				return usageError{fmtUsage(c, err)}
			}
			opt.Stdin, opt.Stdout, opt.Stderr = os.Stdin, os.Stdout, os.Stderr
			guest, err := loadGuest()
			if err != nil {
				return err
			}
			status, err := script.Run(c.Context(), guest, newLogger(os.Stderr), opt)
			if errors.Is(err, script.ErrNoScript) {
				return usageError{err}
			}
			if err != nil {
				return err
			}
			if status != 0 {
				return exitStatus(status)
			}
			return nil
		},
	}
}

// parsePython takes wasgi's own options from the front of args; the first
// argument that is none of them begins python's command line.
func parsePython(args []string) (script.Options, error) {
	var opt script.Options
	for len(args) > 0 {
		name, value, joined := strings.Cut(args[0], "=")
		set := pythonOption(&opt, name)
		if set == nil {
			break
		}
		args = args[1:]
		if !joined {
			if len(args) == 0 {
				return opt, fmt.Errorf("%s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		if err := set(value); err != nil {
			return opt, err
		}
	}
	opt.Args = args
	return opt, nil
}

// pythonOption is the setter of one of wasgi's options, nil for any other
// word.
func pythonOption(opt *script.Options, name string) func(string) error {
	switch name {
	case "--mount":
		return func(v string) error {
			m, err := script.ParseMount(v)
			opt.Mounts = append(opt.Mounts, m)
			return err
		}
	case "--env":
		return func(v string) error {
			if k, _, ok := strings.Cut(v, "="); !ok || k == "" {
				return fmt.Errorf("--env %q: want NAME=VALUE", v)
			}
			opt.Env = append(opt.Env, v)
			return nil
		}
	case "--allow":
		return func(v string) error {
			_, err := destination.Parse(v)
			opt.Allow = append(opt.Allow, v)
			return err
		}
	case "--app":
		return func(v string) error { opt.App = v; return nil }
	case "--state-dir":
		return func(v string) error { opt.StateDir = v; return nil }
	case "--memory":
		return opt.SetMemory
	case "--timeout":
		return opt.SetTimeout
	default:
		return nil
	}
}
