package main

import (
	"context"
	"os/exec"
	"slices"
	"syscall"
)

// pymysql is the driver of MariaDB that is Python alone. Its source distribution
// has no tests: Debian's source has them.
func pymysql() suite {
	return suite{name: "pymysql", debian: "python-pymysql", server: mariadb(), wheels: pytestWheels(), units: pymysqlUnits}
}

func pymysqlUnits(ctx context.Context, w *world, from sources) ([]unit, error) {
	var all []unit
	for _, dir := range []string{"pymysql/tests", "tests"} {
		units, err := pytestSuite{tests: dir, path: []string{"."}, quiet: clientTest}.units(ctx, w, from)
		if err != nil {
			return nil, err
		}
		all = append(all, units...)
	}
	for i := range all {
		u := &all[i]
		u.args = slices.Insert(u.args, 2, "-p", "conformance_pymysql")
	}
	return all, nil
}

// prepareMariadb makes the databases and users of ci/docker.json in PyMySQL's
// source, and those that its GitHub workflow makes besides.
const prepareMariadb = `cat >start.sql <<'END'
create database if not exists test1 default character set utf8mb4;
create database if not exists test2 default character set utf8mb4;
create user test2@'127.0.0.1' identified by 'some password';
grant all on test2.* to test2@'127.0.0.1';
create user root@'127.0.0.1' identified by '';
grant all on *.* to root@'127.0.0.1' with grant option;
install soname 'auth_ed25519';
create function ed25519_password returns string soname 'auth_ed25519.so';
END
mkdir data
openssl req -new -x509 -nodes -newkey rsa:2048 -subj /CN=localhost -days 2 -out server.crt -keyout server.key
exec mariadb-install-db --no-defaults --datadir="$PWD/data" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve`

func mariadb() *server {
	return &server{
		program: "/usr/sbin/mariadbd", user: "mysql", end: syscall.SIGTERM,
		prepare: func(dir, program string) *exec.Cmd { return exec.Command("sh", "-euc", prepareMariadb) },
		command: func(ctx context.Context, dir, program, port string) *exec.Cmd {
			return exec.CommandContext(ctx, program, "--no-defaults", "--datadir="+dir+"/data", "--port="+port, "--bind-address=127.0.0.1",
				"--socket="+dir+"/s", "--pid-file="+dir+"/pid", "--init-file="+dir+"/start.sql", "--innodb-flush-log-at-trx-commit=0",
				"--skip-name-resolve", "--local-infile=1", "--ssl-cert="+dir+"/server.crt", "--ssl-key="+dir+"/server.key")
		},
		tell: func(u *unit, port string) { u.env = append(u.env, "CONFORMANCE_MYSQL_PORT="+port) },
	}
}
