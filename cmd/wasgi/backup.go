package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/archive"
)

func newBackup() *cobra.Command {
	var r *remote
	var noData, key bool
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the server's state into a file",
		Long: `Writes releases, settings, tokens and what applications keep in /data into FILE, a
tar.gz; - is standard output. The server goes on meanwhile. Secrets are in it
encrypted: their key, secret.key in the state folder, is a file to be kept
elsewhere, or is in it with --with-key.`,
		Example: `  wasgi backup wasgi-$(date +%F).tar.gz
  wasgi backup - --no-data | ssh store 'cat > wasgi.tar.gz'`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.client()
			if err != nil {
				return err
			}
			write := func(w io.Writer) error { return client.Backup(c.Context(), w, !noData, key) }
			if args[0] == "-" && r.json {
				return usageError{fmtUsage(c, errors.New("standard output is the backup's with -: name a file, or leave --json away"))}
			}
			if args[0] == "-" {
				return write(c.OutOrStdout())
			}
			if err := writeWhole(args[0], write); err != nil {
				return err
			}
			if r.json {
				return printBackup(c.OutOrStdout(), backup{File: args[0], Data: !noData, Key: key})
			}
			_, err = fmt.Fprintf(c.ErrOrStderr(), "%s is written\n", args[0])
			return err
		},
	}
	c.Flags().BoolVar(&noData, "no-data", false, "leave out what applications keep in /data")
	c.Flags().BoolVar(&key, "with-key", false, "put the key of the secrets into it")
	r = remoteFlags(c)
	return c
}

// backup is what --json tells of one.
type backup struct {
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
	Data  bool   `json:"data"` // with what applications keep in /data
	Key   bool   `json:"key"`  // with the key of the secrets
}

func printBackup(w io.Writer, b backup) error {
	info, err := os.Stat(b.File)
	if err != nil {
		return err
	}
	b.Bytes = info.Size()
	return printJSON(w, b)
}

// writeWhole makes a file that is there as a whole or not at all.
func writeWhole(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".wasgi-backup-")
	if err != nil {
		return err
	}
	if err = errors.Join(write(f), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func newRestore() *cobra.Command {
	var r remote
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a state folder of a backup, before a server starts with it",
		Long: `Unpacks FILE, as wasgi backup has written it (- is standard input), into a state
folder that is empty and that no server uses yet. It is the one command that
speaks to no server.`,
		Example: "  wasgi restore wasgi-2026-11-25.tar.gz --state-dir /var/lib/wasgi",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			state, err := r.state()
			if err != nil {
				return err
			}
			in := io.Reader(os.Stdin)
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			key, err := archive.Read(in, state)
			if err != nil {
				return err
			}
			if r.json {
				return printJSON(c.OutOrStdout(), restored{State: state, Key: key})
			}
			if !key {
				fmt.Fprintf(c.ErrOrStderr(), "the key of the secrets is not in it: put it at %s (mode 600), or set the secrets anew\n", filepath.Join(state, archive.Key))
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is restored\n", state)
			return err
		},
	}
	c.Flags().StringVar(&r.stateDir, "state-dir", "", "the state folder to make")
	c.Flags().BoolVar(&r.json, "json", false, "print JSON")
	return c
}

// restored is what --json tells of a state folder.
type restored struct {
	State string `json:"state_dir"`
	Key   bool   `json:"key"` // whether the key of the secrets is there
}
