package tenants

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzFolder looks at an application of which one file is anything: whatever is
// said about it, nothing panics and no requirement reaches the installer that
// could be an option.
func FuzzFolder(f *testing.F) {
	names := []string{
		"wasgi.toml", "pyproject.toml", "uv.lock", "Procfile", "gunicorn.conf.py", "uwsgi.ini", "wsgi.ini", ".flaskenv", ".env", "manage.py",
		"wsgi.py", "requirements.txt", "mysite/settings.py",
	}
	for i, text := range []string{
		"entry = \"app:app\"\n", "[project]\ndependencies = [\"flask>=3\"]\n[tool.wasgi]\nentry = \"a:b\"\n",
		"[[package]]\nname = \"flask\"\nversion = \"3\"\nsource = { registry = \"x\" }\n", "web: gunicorn --chdir src 'app:create()'\n",
		"wsgi_app = 'app:app'\n", "[uwsgi]\nmodule = app:app\n", "[uwsgi]\nwsgi-file = app.py\ncallable = app\n", "FLASK_APP=app\n",
		"FLASK_APP=\"app:create\"\n", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n", "app = Flask(__name__)\n",
		"-r other.txt\nflask[async]>=3 ; python_version > '3' --hash=sha256:00\n./a.whl\n", "WSGI_APPLICATION = 'mysite.wsgi.application'\n",
	} {
		f.Add(byte(i), []byte(text))
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		dir := t.TempDir()
		name := names[int(which)%len(names)]
		write(t, filepath.Join(dir, "app.py"), "app = 1\n")
		write(t, filepath.Join(dir, name), string(data))
		Doctor(dir)
		r, err := readRequirements(dir)
		if err != nil {
			return
		}
		for _, line := range append(r.lines, r.constraints...) {
			if strings.HasPrefix(line, "-") || strings.ContainsAny(line, "@/\\\n\r$") {
				t.Errorf("%q reaches the installer", line)
			}
		}
	})
}

// FuzzSite cleans a site with any METADATA and RECORD: nothing beside it is
// touched.
func FuzzSite(f *testing.F) {
	f.Add([]byte("Name: greenlet\nVersion: 1\n\n"), []byte("../outside,,\n/etc/x,,\n\"a,b\",,\nsub/../../outside\n"))
	f.Add([]byte("Name: flask\r\nRequires-Dist: tzdata; sys_platform == 'win32'\r\n"), []byte("flask.py,sha256=x,1\n"))
	f.Fuzz(func(t *testing.T, metadata, record []byte) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "outside"), "outside")
		site := filepath.Join(dir, "site")
		write(t, filepath.Join(site, "flask.py"), "x = 1\n")
		write(t, filepath.Join(site, "x-1.dist-info", "METADATA"), string(metadata))
		write(t, filepath.Join(site, "x-1.dist-info", "RECORD"), string(record))
		s := siteOf(t, site)
		_ = s.clean("shop")
		s.wants("tzdata")
		if text, err := os.ReadFile(filepath.Join(dir, "outside")); err != nil || !bytes.Equal(text, []byte("outside")) {
			t.Errorf("the file outside: %q, %v", text, err)
		}
	})
}

// FuzzPipConfig parses any output of pip: no address becomes an argument, which
// everybody on the host could read.
func FuzzPipConfig(f *testing.F) {
	f.Add("global.index-url='https://user:password@example/simple'\n:env:.extra-index-url=\"a b\"\n")
	f.Fuzz(func(t *testing.T, out string) {
		_, args := uvSettings(parsePipConfig(out))
		for i, a := range args {
			if i > 0 && args[i-1] == "--find-links" || a == "--find-links" || a == "--no-index" {
				continue
			}
			t.Errorf("argument %q", a)
		}
	})
}
