package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/client"
)

// changeFlags are remoteFlags for a command that changes a tenant.
func changeFlags(c *cobra.Command) *remote {
	r := remoteFlags(c)
	c.Flags().Uint64Var(&r.at, "if-match", 0, "change it only if it still has this revision, as tenants show --json told (default the one that it has now)")
	return r
}

// revision is the one that a change depends on: what the user has seen, or what
// there is now. 0 is that of a tenant of which nothing is kept yet.
func (r *remote) revision(ctx context.Context, c *client.Client, name string) (uint64, error) {
	if r.at != 0 {
		return r.at, nil
	}
	t, err := c.Tenant(ctx, name)
	if answered(err, http.StatusNotFound) {
		return 0, nil // the change makes it, or says that it is missing
	}
	return t.Revision, err
}

func answered(err error, status int) bool {
	var e *client.Error
	return errors.As(err, &e) && e.Status == status
}

// outdated says what to do when a tenant was changed by others.
func outdated(err error, name string, at uint64) error {
	if !answered(err, http.StatusPreconditionFailed) {
		return err
	}
	return fmt.Errorf("%s was left as it is: it does not have revision %d any more, because somebody else has changed it: "+
		"look at it with `wasgi tenants show %s`, and repeat the command if you still want it", name, at, name)
}

// changing makes a change of a tenant, says its steps, and then what it has
// become.
func (r *remote) changing(c *cobra.Command, name string, do func(deployment) (api.Tenant, error), done string) error {
	client, err := r.client()
	if err != nil {
		return err
	}
	var t api.Tenant
	d := deployment{cmd: c, remote: r, api: client, tenant: name}
	if d.at, err = r.revision(c.Context(), client, name); err != nil {
		return err
	}
	if err := d.watching(c.Context(), func() error {
		t, err = do(d)
		return err
	}); err != nil {
		return outdated(err, name, d.at)
	}
	text := t.Name + " " + done
	if t.Current != "" {
		text += " " + short(t.Current)
	}
	return r.tell(c, t, text)
}
