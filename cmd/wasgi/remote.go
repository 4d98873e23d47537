package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host"
	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/client"
	"github.com/wasgi/wasgi/host/config"
)

// remote is what every command that speaks to a server has in common.
type remote struct {
	address, tokenFile, stateDir string
	json                         bool
	at                           uint64 // the revision that a change depends on; 0 for the one that there is
}

// remoteFlags adds the flags that every command of the server's has.
func remoteFlags(c *cobra.Command) *remote {
	r := &remote{}
	f := c.Flags()
	f.StringVar(&r.address, "host", "", "the server: unix:/path, http://… or https://… (default WASGI_HOST, or the socket in the state folder)")
	f.StringVar(&r.tokenFile, "token-file", "", "file with the token for --host (default WASGI_TOKEN)")
	f.StringVar(&r.stateDir, "state-dir", "", "the server's state folder on this machine")
	f.BoolVar(&r.json, "json", false, "print JSON")
	return r
}

// client finds the server and the token.
func (r *remote) client() (*client.Client, error) {
	address := cmp.Or(r.address, os.Getenv("WASGI_HOST"))
	if address == "" {
		dir, err := r.state()
		if err != nil {
			return nil, err
		}
		address = "unix:" + filepath.Join(dir, config.APISocket)
	}
	token := os.Getenv("WASGI_TOKEN")
	if r.tokenFile != "" {
		text, err := os.ReadFile(r.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	c, err := client.New(address, token)
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// tenant asks the server for one tenant.
func (r *remote) tenant(c *cobra.Command, name string) (t api.Tenant, err error) {
	client, err := r.client()
	if err != nil {
		return t, err
	}
	return client.Tenant(c.Context(), name)
}

// statuses asks the server how all tenants do.
func (r *remote) statuses(c *cobra.Command) ([]api.Status, error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	return client.Statuses(c.Context())
}

func (r *remote) state() (string, error) {
	if r.stateDir != "" {
		return filepath.Abs(r.stateDir)
	}
	cfg, err := host.LoadConfig("", nil)
	return cfg.StateDir, err
}

// print writes v as JSON, or what plain writes.
func (r *remote) print(c *cobra.Command, v any, plain func(io.Writer) error) error {
	if r.json {
		return printJSON(c.OutOrStdout(), v)
	}
	return plain(c.OutOrStdout())
}

// tell writes v as JSON, or a sentence.
func (r *remote) tell(c *cobra.Command, v any, sentence string) error {
	return r.print(c, v, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, sentence)
		return err
	})
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table writes rows in columns.
func table(w io.Writer, rows ...[]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = printable(cell)
		}
		fmt.Fprintln(t, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return t.Flush()
}

// printable replaces what a terminal might obey. What a server tells may have
// been a tenant's.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c >= 0x7f && c < 0xa0 {
			return '\uFFFD'
		}
		return c
	}, text)
}

// printableLines is printable for texts of several lines.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// short is the beginning of a digest.
func short(digest string) string { return digest[:min(len(digest), 12)] }
