package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// postgres is a server of Debian's package for one part, with the user wasgi and
// the password secret.
type postgres struct {
	addr string
	dir  string
	proc *process
}

// startPostgres makes a new one. Its files are in the folder for temporary ones:
// another user has to reach them when the bench is root's.
func (b *bench) startPostgres(ctx context.Context) (*postgres, error) {
	b.show.doing("starting PostgreSQL")
	bin, err := b.postgresBin(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "wasgi-bench-postgres-")
	if err != nil {
		return nil, err
	}
	p := &postgres{dir: dir}
	if err := b.runPostgres(ctx, p, bin); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// runPostgres waits until it takes connections.
func (b *bench) runPostgres(ctx context.Context, p *postgres, bin string) (err error) {
	data, password := filepath.Join(p.dir, "data"), filepath.Join(p.dir, "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		return err
	}
	if os.Getuid() == 0 {
		if err := b.tool(ctx, "chown", "-R", "postgres:", p.dir); err != nil {
			return err
		}
	}
	err = b.toolIn(ctx, p.dir, asPostgres(filepath.Join(bin, "initdb"), "-D", data, "-U", "wasgi", "--auth=scram-sha-256", "--pwfile="+password, "--locale=C.UTF-8")...)
	if err != nil {
		return err
	}
	if p.addr, err = freeAddr(); err != nil {
		return err
	}
	host, port, _ := net.SplitHostPort(p.addr)
	p.proc, err = b.start("postgres", p.dir, asPostgres(filepath.Join(bin, "postgres"), "-D", data, "-p", port,
		"-c", "listen_addresses="+host, "-c", "unix_socket_directories="+p.dir, "-c", "max_connections=500"))
	if err != nil {
		return err
	}
	ctx, cancel := p.proc.alive(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, peerPatience)
	defer cancel()
	if err := awaitPort(ctx, p.addr, 50*time.Millisecond); err != nil {
		return fmt.Errorf("PostgreSQL: %w; its log ends with: %s", err, p.proc.lastWords())
	}
	return nil
}

// stop ends it and removes its files.
func (p *postgres) stop() {
	if p.proc != nil {
		p.proc.stop()
	}
	_ = os.RemoveAll(p.dir)
}

// asPostgres is a command line as the package's own user when this one is root,
// whom PostgreSQL refuses.
func asPostgres(args ...string) []string {
	if os.Getuid() != 0 {
		return args
	}
	return append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"}, args...)
}

// postgresBin is the folder of the newest version's programs.
func (b *bench) postgresBin(ctx context.Context) (string, error) {
	find := func() string {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
		if len(found) > 0 {
			return filepath.Dir(slices.MaxFunc(found, byLengthAndName))
		}
		if at, err := exec.LookPath("initdb"); err == nil {
			return filepath.Dir(at)
		}
		return ""
	}
	if bin := find(); bin != "" {
		return bin, nil
	}
	if err := b.apt(ctx, "postgresql"); err != nil {
		return "", err
	}
	if bin := find(); bin != "" {
		return bin, nil
	}
	return "", errors.New("initdb is not found, although Debian's postgresql is installed")
}

// byLengthAndName has version 9 before 15.
func byLengthAndName(a, b string) int {
	if d := len(a) - len(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}
