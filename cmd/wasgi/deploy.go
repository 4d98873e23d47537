package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/client"
	"github.com/wasgi/wasgi/host/bundle"
	"github.com/wasgi/wasgi/tenants"
)

func newDeploy() *cobra.Command {
	var name string
	var r *remote
	c := &cobra.Command{
		Use:   "deploy DIR|BUNDLE",
		Short: "Upload an application and have it serve",
		Long: `Uploads a folder or a bundle (zip, tar.gz, tar) as a new release of a tenant. The
server unpacks and verifies it, installs its dependencies, compiles to byte
code, boots and warms it up, makes its health check, and only then has it serve.
Requests that run end with the older release. When anything goes wrong the older
release goes on, and this command says what it was and exits 1.

Without --tenant the tenant has the name of the folder or the bundle.`,
		Example: `  wasgi deploy ./shop
  wasgi deploy shop-1.2.tar.gz --tenant shop
  wasgi deploy ./shop --host https://apps.example:8443 --token-file ~/.wasgi-token`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if name == "" {
				name = nameOf(args[0])
			}
			api, err := r.client()
			if err != nil {
				return err
			}
			d := deployment{cmd: c, remote: r, api: api, tenant: name}
			return d.run(c.Context(), args[0])
		},
	}
	c.Flags().StringVar(&name, "tenant", "", "name of the tenant (default that of the folder or bundle)")
	r = remoteFlags(c)
	return c
}

// nameOf is the tenant's name for a folder or a bundle.
func nameOf(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	for _, ext := range []string{".tar.gz", ".tgz", ".zip", ".tar"} {
		path = strings.TrimSuffix(path, ext)
	}
	return tenants.NameOf(path)
}

// deployment is one run of `wasgi deploy`.
type deployment struct {
	cmd    *cobra.Command
	remote *remote
	api    *client.Client
	tenant string
	at     uint64 // the revision that a change depends on, 0 for any
}

func (d deployment) run(ctx context.Context, path string) error {
	b, err := d.pack(path)
	if err != nil {
		return err
	}
	defer b.close()
	var t api.Tenant
	err = d.watching(ctx, func() error {
		release, err := d.upload(ctx, b)
		if err != nil {
			return err
		}
		d.say("release " + short(release.Digest))
		t, err = d.api.Deploy(ctx, d.tenant, release.Digest)
		return err
	})
	if err != nil {
		return d.failed(err)
	}
	return d.remote.print(d.cmd, t, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s serves %s\n", t.Name, short(t.Current))
		return err
	})
}

// failed says what became of the older release.
func (d deployment) failed(err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) {
		return err
	}
	refused.Detail = fmt.Sprintf("%s was not deployed: %s", d.tenant, printableLines(refused.Detail))
	return refused
}

// say is a step, on standard error: standard output is for the result.
func (d deployment) say(text string) {
	fmt.Fprintf(d.cmd.ErrOrStderr(), "%s: %s\n", d.tenant, printable(text))
}

// packed is a bundle as it is sent.
type packed struct {
	file      *os.File
	size      int64
	sum       []byte
	temporary bool
}

func (p *packed) close() {
	_ = p.file.Close()
	if p.temporary {
		_ = os.Remove(p.file.Name())
	}
}

// pack makes a bundle of a folder, or takes the one that is there.
func (d deployment) pack(path string) (*packed, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	p := &packed{}
	if info.IsDir() {
		d.say("packing " + path)
		p.temporary = true
		if p.file, err = os.CreateTemp("", "wasgi-deploy-*.tar.gz"); err == nil {
			err = bundle.Pack(p.file, path)
		}
	} else {
		p.file, err = os.Open(path)
	}
	if err == nil {
		err = p.measure()
	}
	if err != nil && p.file != nil {
		p.close()
	}
	return p, err
}

func (p *packed) measure() error {
	sum := sha256.New()
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(sum, p.file)
	if err != nil {
		return err
	}
	p.size, p.sum = n, sum.Sum(nil)
	_, err = p.file.Seek(0, io.SeekStart)
	return err
}

func (d deployment) upload(ctx context.Context, p *packed) (api.Release, error) {
	bar := newProgress(d.cmd.ErrOrStderr(), d.tenant, "uploading", p.size)
	defer bar.close()
	return d.api.Upload(ctx, d.tenant, io.TeeReader(p.file, bar), p.size, p.sum)
}

// watching does something and says meanwhile what happens to the tenant, to the
// last step of it.
func (d deployment) watching(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begun, ended := make(chan string, 1), make(chan error, 1)
	go func() { // ends with ctx
		ended <- d.api.Events(ctx, d.tenant, func(stream string) { begun <- stream }, func(e api.Event) {
			if e.Kind == "progress" || e.Kind == "ready" {
				d.say(e.Text)
			}
		})
	}()
	var stream string
	select {
	case stream = <-begun:
	case err := <-ended:
		return err
	}
	err := do()
	if d.api.EndEvents(ctx, stream) != nil {
		cancel()
	}
	<-ended
	return err
}
