package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// TestAPIOverHTTPS: commands on another machine, which knows the CA or does not.
func TestAPIOverHTTPS(t *testing.T) {
	t.Parallel()
	o := operated(t)
	token := strings.TrimSpace(o.wasgi("token", "create").exited(0).stdout)
	must(t, o.server.terminate(t))
	a := newAuthority(t)
	o.serve("--api-listen", "https://127.0.0.1:0", "--tls-cert", a.cert, "--tls-key", a.key)
	match, _ := o.server.log.wait(t, regexp.MustCompile(`msg="the admin API listens" address=(\S+)`), 0)
	as := func(ca, token string, args ...string) outcome {
		t.Helper()
		args = append(args, "--host", "https://"+match[1])
		return o.world.run(t, program{args: args, env: []string{"SSL_CERT_FILE=" + ca, "SSL_CERT_DIR=/nowhere", "WASGI_TOKEN=" + token}})
	}
	as(a.authority, token, "deploy", o.app("by https\n")).exited(0).printed("shop serves ")
	o.browser("shop").get("/").status(200).text("by https\n")
	as(a.authority, token, "ps").exited(0).printed("shop")
	as(a.authority, token, "env", "set", "shop", "A=1").exited(0)
	as(a.authority, token, "logs", "shop").exited(0)
	run := o.world.run(t, program{
		args: []string{"run", "shop", "--host", "https://" + match[1], "--", "-c", "import os, sys; print(os.environ['A'], sys.stdin.read())"}, stdin: "in",
		env: []string{"SSL_CERT_FILE=" + a.authority, "WASGI_TOKEN=" + token},
	})
	run.wrote(0, "1 in\n", "")
	as(a.authority, "", "ps").exited(1).complained("show a token")
	as(a.authority, "wasgi_000000000000_00", "ps").exited(1).complained("the token is unknown")
	const unknown = ": name the file with its CA's certificate (PEM) in SSL_CERT_FILE: "
	for _, ca := range []string{newAuthority(t).authority, "/nowhere.pem"} {
		as(ca, token, "ps").exited(1).complained("nobody whom this machine trusts has signed the certificate of https://"+match[1]+unknown, "x509: ")
	}
}
