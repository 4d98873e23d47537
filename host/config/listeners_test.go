package config

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListeners(t *testing.T) {
	for text, want := range map[string]Listener{
		"127.0.0.1:80":               {Address: "127.0.0.1:80"},
		":80":                        {Address: ":80"},
		"http://h:80":                {Address: "h:80"},
		"https://[::1]:443":          {TLS: true, Address: "[::1]:443"},
		"unix:/a":                    {Path: "/a"},
		"unix:/a:b?mode=660":         {Path: "/a:b", Mode: 0o660},
		"https://unix:/a?mode=0600":  {TLS: true, Path: "/a", Mode: 0o600},
		"systemd":                    {Passed: true},
		"systemd:web":                {Passed: true, Name: "web"},
		"https://systemd:web":        {TLS: true, Passed: true, Name: "web"},
		"fd:3":                       {Inherited: 3},
		"fd://12":                    {Inherited: 12},
		"https://fd:3":               {TLS: true, Inherited: 3},
		"systemd.example:80":         {Address: "systemd.example:80"},
		"unix.example:80":            {Address: "unix.example:80"},
		"http://systemd.example:080": {Address: "systemd.example:080"},
	} {
		c := Config{Listen: List(text)}
		got, err := c.Listeners()
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff([]Listener{want}, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for _, text := range []string{
		"80", "h", "unix:", "unix:a", "unix:/a?mode=0", "unix:/a?mode=1777", "unix:/a?mode=x", "unix:/a?mode=06%", "unix:/a?a=b",
		"fd:", "fd:x", "fd:-3", "fd:0", "fd:99999", "https://", "http://http://h:80", "https:h:80",
	} {
		c := Config{Listen: List(text)}
		if got, err := c.Listeners(); err == nil {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
}

// Sockets that systemd passes are taken unless listen says otherwise, and those
// that it passes to another process never.
func TestPassedSocketsAreTheDefault(t *testing.T) {
	mine, other := strconv.Itoa(os.Getpid()), strconv.Itoa(os.Getpid()+1)
	for _, c := range []struct {
		environ []string
		want    List
	}{
		{nil, "127.0.0.1:8000"},
		{[]string{"LISTEN_FDS=1", "LISTEN_PID=" + mine}, "systemd"},
		{[]string{"LISTEN_FDS=1", "LISTEN_PID=" + mine, "WASGI_LISTEN=127.0.0.1:1"}, "127.0.0.1:1"},
		{[]string{"LISTEN_FDS=1", "LISTEN_PID=" + other}, "127.0.0.1:8000"},
		{[]string{"LISTEN_FDS=0", "LISTEN_PID=" + mine}, "127.0.0.1:8000"},
		{[]string{"LISTEN_FDS=x", "LISTEN_PID=" + mine}, "127.0.0.1:8000"},
	} {
		got, err := load("", nil, c.environ, 0)
		if err != nil || got.Listen != c.want {
			t.Errorf("%q: %s, %v, want %s", c.environ, got.Listen, err, c.want)
		}
	}
}

// What a connection may speak decides how many there may be by default.
func TestConnectionsCostWhatTheySpeak(t *testing.T) {
	for text, want := range map[string]int{
		"":           5461,
		"h2c = true": 2730,
		"listen = [\"127.0.0.1:1\", \"https://127.0.0.1:2\"]\ntls_cert = \"/a\"":                                     2340,
		"listen = [\"127.0.0.1:1\", \"https://127.0.0.1:2\"]\ntls_cert = \"/a\"\nhttp2 = false":                      3276,
		"listen = [\"127.0.0.1:1\", \"https://127.0.0.1:2\"]\ntls_cert = \"/a\"\nmax_connections = 77\nslots = 1\n#": 77,
	} {
		file := filepath.Join(t.TempDir(), "w.toml")
		if err := os.WriteFile(file, []byte("memory_budget = \"4GiB\"\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := load(file, nil, nil, 0)
		if err != nil || c.MaxConnections != want {
			t.Errorf("%q: %d, %v, want %d", text, c.MaxConnections, err, want)
		}
	}
}

func TestFilesAreAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	c, err := load("", nil, []string{"WASGI_TLS_CERT=a.pem,/b.pem", "WASGI_TLS_KEY=a.key, /b.key"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Certificates()
	want := []CertificateFiles{{filepath.Join(dir, "a.pem"), filepath.Join(dir, "a.key")}, {"/b.pem", "/b.key"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	c.TLSKey = ""
	got, err = c.Certificates()
	if err != nil || got[1] != (CertificateFiles{"/b.pem", "/b.pem"}) {
		t.Errorf("without keys: %v, %v", got, err)
	}
}
