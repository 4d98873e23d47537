package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"syscall"
)

// pg8000 is the driver of PostgreSQL that is Python alone.
func pg8000() suite {
	return suite{name: "pg8000", sdist: "pg8000", server: postgres(),
		wheels: pytestWheels("pg8000", "pytest-mock", "scramp", "asn1crypto", "python-dateutil", "pytz"),
		units:  pytestSuite{tests: "test", path: []string{"src"}, quiet: clientTest}.units}
}

// preparePostgres makes a database as pg8000's tests expect it: the user
// postgres has the password pw, TLS is on, hstore is there, and one database
// wants Kerberos.
const preparePostgres = `echo pw >password
"$0"/initdb -D "$PWD/data" -U postgres --auth=scram-sha-256 --pwfile=password -N --locale=C.UTF-8
sed -i '1i host pg8000_gss all 127.0.0.1/32 gss' data/pg_hba.conf
openssl req -new -x509 -nodes -newkey rsa:2048 -subj /CN=localhost -days 2 -out data/server.crt -keyout data/server.key
chmod 600 data/server.key
echo 'ssl = on' >>data/postgresql.conf
echo 'create extension hstore' | "$0"/postgres --single -D "$PWD/data" postgres`

func postgres() *server {
	return &server{
		program: "/usr/lib/postgresql/*/bin/postgres", user: "postgres", end: syscall.SIGINT,
		prepare: func(dir, program string) *exec.Cmd {
			return exec.Command("sh", "-euc", preparePostgres, filepath.Dir(program))
		},
		command: func(ctx context.Context, dir, program, port string) *exec.Cmd {
			return exec.CommandContext(ctx, program, "-D", dir+"/data", "-p", port, "-c", "listen_addresses=127.0.0.1",
				"-c", "unix_socket_directories="+dir, "-c", "fsync=off")
		},
		tell: func(u *unit, port string) {
			u.env = append(u.env, "PGHOST=127.0.0.1", "PGPORT="+port, "PGPASSWORD=pw")
		},
	}
}
