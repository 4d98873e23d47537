package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/wasgi/wasgi/pywasm/branchhint"
)

// options are the flags of the command line.
type options struct{ wasm, root, out, app string }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:])
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "hints:", err)
	}
	if err != nil {
		stop()
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("hints", flag.ContinueOnError)
	f.StringVar(&o.wasm, "wasm", "", "the guest, metered and without hints")
	f.StringVar(&o.root, "root", "", "zip of the guest's root file system")
	f.StringVar(&o.out, "out", "", "file that gets the guest with hints")
	f.StringVar(&o.app, "app", "", "folder of the application to serve (default: the one of this program)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.wasm == "" || o.root == "" || o.out == "" || f.NArg() > 0 {
		return o, errors.New("--wasm, --root and --out have to be named, and nothing else (see --help)")
	}
	return o, nil
}

func run(ctx context.Context, o options) error {
	module, err := os.ReadFile(o.wasm)
	if err != nil {
		return err
	}
	if _, err := branchhint.Insert(module, nil); err != nil { // before the work, not behind it
		return fmt.Errorf("%s: %w", o.wasm, err)
	}
	root, file, err := openRoot(o.root)
	if err != nil {
		return err
	}
	defer file.Close()
	work, err := os.MkdirTemp("", "wasgi-hints-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	folder := o.app
	if folder == "" {
		if folder, err = unpack(work); err != nil {
			return err
		}
	}
	all, err := record(ctx, module, root, folder, filepath.Join(work, "state"))
	if err != nil {
		return err
	}
	if module, err = branchhint.Insert(module, all); err != nil {
		return fmt.Errorf("%s: %w", o.wasm, err)
	}
	fmt.Printf("%d branches of %d functions have hints\n", branches(all), len(all))
	return os.WriteFile(o.out, module, 0o644)
}

func branches(all []branchhint.Function) (n int) {
	for _, f := range all {
		n += len(f.Hints)
	}
	return n
}
