package config

import (
	"strings"
	"testing"
)

func TestAPIListener(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "off": "", "unix:/run/x.sock": "", "127.0.0.1:9000": "", "localhost:9000": "", "[::1]:9000": "",
		"0.0.0.0:9000":         "tokens would go over the network in the clear",
		":9000":                "tokens would go over the network in the clear",
		"systemd:api":          "the admin API takes no sockets of others",
		"fd:3":                 "the admin API takes no sockets of others",
		"https://unix:/run/x":  "there is no TLS on a Unix socket",
		"nowhere":              "is no address",
		"https://0.0.0.0:9000": "name the file of the certificate", // of tls_cert
		"127.0.0.1:8000":       "is taken by listen or admin_listen",
		"127.0.0.1:8001":       "is taken by listen or admin_listen",
	} {
		c := Default(nil, 0)
		c.StateDir, c.APIListen = "/state", text
		err := c.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	c := Default(nil, 0)
	c.StateDir = "/state"
	l, on, err := c.APIListener()
	if err != nil || !on || l.Path != "/state/api.sock" || l.Mode != 0o600 || c.AuditLog() != "/state/audit.log" {
		t.Errorf("%+v, %v, %v", l, on, err)
	}
	c.APIListen = "unix:/run/x.sock?mode=0660"
	if l, _, err := c.APIListener(); err != nil || l.Mode != 0o660 {
		t.Errorf("%+v, %v", l, err)
	}
}
