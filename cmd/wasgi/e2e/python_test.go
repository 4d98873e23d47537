package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestPythonPrograms runs programs from everywhere that python takes them.
func TestPythonPrograms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.python(t, "-c", "import sys; print(sys.platform, sys.argv)", "one", "-two", "--env").
		wrote(0, "wasi ['-c', 'one', '-two', '--env']\n", "")
	w.python(t, "-V").exited(0).printed("Python 3.13.")
	w.run(t, program{args: []string{"python", "-m", "json.tool", "--compact"}, stdin: `{"a": [1, "é"]}`}).
		wrote(0, `{"a":[1,"\u00e9"]}`+"\n", "")
	w.run(t, program{args: []string{"python"}, stdin: "import sys\nprint(6 * 7, sys.argv)\n"}).
		wrote(0, "42 ['']\n", "")
	w.run(t, program{args: []string{"python", "-", "x"}, stdin: "import sys\nprint(sys.argv)\n"}).
		wrote(0, "['-', 'x']\n", "")
}

// TestPythonScripts runs scripts of the current folder, as python would.
func TestPythonScripts(t *testing.T) {
	t.Parallel()
	w, folder := newWorld(t), t.TempDir()
	write(t, folder, "tools/greet.py", "import sys\nfrom words import WORD\nprint(WORD, sys.argv[1:], __name__)\n")
	write(t, folder, "tools/words.py", "WORD = 'hello'\n")
	write(t, folder, "package/__main__.py", "print('from a package')\n")
	write(t, folder, "input.txt", hello)
	here := func(args ...string) outcome {
		t.Helper()
		return w.run(t, program{args: append([]string{"python"}, args...), dir: folder})
	}
	here("tools/greet.py", "ann", "-c").wrote(0, "hello ['ann', '-c'] __main__\n", "")
	here(filepath.Join(folder, "tools", "greet.py")).wrote(0, "hello [] __main__\n", "")
	here("-m", "package").wrote(0, "from a package\n", "")
	here("-c", "print(open('input.txt').read(), end='')").wrote(0, hello, "")
	here("-c", "open('output.txt', 'w')").exited(1).complained("OSError", "output.txt")
	here("nothing.py").exited(2).complained("nothing.py")
	if _, err := os.Stat(filepath.Join(folder, "output.txt")); !os.IsNotExist(err) {
		t.Errorf("output.txt in the current folder: %v", err)
	}
}

// TestPythonStatus compares how programs end.
func TestPythonStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.python(t, "-c", "pass").wrote(0, "", "")
	w.python(t, "-c", "raise SystemExit").wrote(0, "", "")
	w.python(t, "-c", "import sys; sys.exit(3)").wrote(3, "", "")
	w.python(t, "-c", "raise SystemExit('x')").wrote(1, "", "x\n")
	w.python(t, "-c", "import os; os._exit(7)").wrote(7, "", "")
	w.python(t, "-c", "import atexit, sys; atexit.register(print, 'bye'); sys.exit(4)").wrote(4, "bye\n", "")
	w.python(t, "-c", "print('out', flush=True); 1 / 0").wrote(1, "out\n", `Traceback (most recent call last):
  File "<string>", line 1, in <module>
    print('out', flush=True); 1 / 0
                              ~~^~~
ZeroDivisionError: division by zero
`)
	w.python(t, "-c", "(").exited(1).complained("SyntaxError: '(' was never closed")
	w.python(t, "-m", "no_such_module").exited(1).complained("No module named no_such_module")
}

// TestPythonCollects ends as it should with SQLAlchemy, whose objects the collector
// finds in an order that once ended the guest, at gc.collect() or at exit.
func TestPythonCollects(t *testing.T) {
	t.Parallel()
	w, folder := newWorld(t), t.TempDir()
	write(t, folder, "requirements.txt", "sqlalchemy==2.1.9\n")
	write(t, folder, "wsgi.py", "def application(environ, start_response):\n    return []\n")
	w.python(t, "--app", folder, "-c", "import gc, sqlalchemy; gc.collect(); print('collected')").exited(0).printed("collected\n")
	w.python(t, "--app", folder, "-c", "import sqlalchemy; print('imported')").exited(0).printed("imported\n")
}

// TestPythonStreams passes bytes through unchanged, each to its own stream.
func TestPythonStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	binary := strings.Repeat("\x00\xff\r\n\x80", 50_000)
	w.run(t, program{
		args:  []string{"python", "-c", "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer); print('done', file=sys.stderr)"},
		stdin: binary,
	}).wrote(0, binary, "done\n")
	w.python(t, "-c", "print('☃ é')").wrote(0, "☃ é\n", "")
	w.run(t, program{args: []string{"python", "-c", "print(input() + input())"}, stdin: "a\nb\n"}).wrote(0, "ab\n", "")
}

// TestPythonMounts gives a program folders, and no way out of them.
func TestPythonMounts(t *testing.T) {
	t.Parallel()
	w, top := newWorld(t), t.TempDir()
	write(t, top, "secret.txt", "secret of the host\n")
	write(t, top, "in/input.txt", hello)
	write(t, top, "out/old.txt", "old\n")
	link(t, "../secret.txt", filepath.Join(top, "in", "relative"))
	link(t, filepath.Join(top, "secret.txt"), filepath.Join(top, "in", "absolute"))
	link(t, "..", filepath.Join(top, "out", "up"))
	mounted := func(code string) outcome {
		t.Helper()
		return w.python(t, "--mount", filepath.Join(top, "in")+":/in", "--mount="+filepath.Join(top, "out")+":/out:rw", "-c", code)
	}
	mounted("import os; os.rename('/out/old.txt', '/out/new.txt'); open('/out/sub.txt', 'x').write(open('/in/input.txt').read())").
		wrote(0, "", "")
	if got := read(t, filepath.Join(top, "out", "sub.txt")) + read(t, filepath.Join(top, "out", "new.txt")); got != hello+"old\n" {
		t.Errorf("in the writable folder: %q", got)
	}
	mounted(tryAll(
		"open('/in/new', 'w')", "os.remove('/in/input.txt')", "os.mkdir('/in/d')", "os.utime('/in/input.txt')",
	)).exited(0).printed("open: OSError", "remove: OSError", "mkdir: OSError", "utime: OSError")
	mounted(tryAll(
		"open('/in/relative')", "open('/in/absolute')", "open('/out/up/secret.txt')", "open('/out/../../secret.txt')",
		"os.listdir('/out/up')", "open('/in/../secret.txt')", "os.symlink('/etc', '/out/etc')", "os.link('/in/input.txt', '/out/linked')",
	)).exited(0).lacked("secret of the host", "no error")
}

// tryAll is a program that says for each expression which error it raises, or
// what came of it.
func tryAll(expressions ...string) string {
	var code strings.Builder
	code.WriteString("import os\n")
	for _, e := range expressions {
		name, _, _ := strings.Cut(strings.TrimPrefix(e, "os."), "(")
		code.WriteString("try:\n r = " + e + "\n print('" + name + ": no error', r.read() if hasattr(r, 'read') and r.readable() else r)\n" +
			"except OSError as e: print('" + name + ": OSError', e)\n")
	}
	return code.String()
}

// lacked says that neither stream has any of the parts.
func (o outcome) lacked(parts ...string) outcome {
	o.t.Helper()
	for _, p := range parts {
		if strings.Contains(o.stdout+o.stderr, p) {
			o.t.Errorf("%s: wrote %q:\n%s%s", o.what, p, o.stdout, o.stderr)
		}
	}
	return o
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// TestPythonSeesNothingOfTheHost looks for the host's environment and files.
func TestPythonSeesNothingOfTheHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const code = `import json, os
own = "/usr/lib/python3.13", "/usr/share/zoneinfo"
files = [os.path.join(folder, name) for folder, _, names in os.walk("/") for name in names]
print(json.dumps([dict(os.environ), os.getcwd(), os.listdir("."), [f for f in files if not f.startswith(own)]]))`
	o := w.run(t, program{
		args: []string{"python", "--env", "GIVEN=a=b", "--env=EMPTY=", "-c", code},
		env:  []string{"PYTHONSTARTUP=/x", "PYTHONPATH=/x", "E2E_SECRET=2", "WASGI_SLOTS=1"},
	}).exited(0)
	want := []any{
		map[string]any{
			"GIVEN": "a=b", "EMPTY": "", "HOME": "/tmp", "TMPDIR": "/tmp",
			"LANG": "C.UTF-8", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1",
		},
		"/work", []any{}, []any{
			"/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero", "/usr/bin/python3.13",
		},
	}
	var got []any
	if err := json.Unmarshal([]byte(o.stdout), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the program sees %v, %v\nwant %v", got, err, want)
	}
	w.python(t, "-c", tryAll(
		"open('/etc/passwd')", "open('/proc/self/environ')", "os.listdir('"+w.repo+"')",
		"os.listdir('/work/../..//../proc')", "os.chdir('/root')",
	)).exited(0).lacked("no error")
	w.python(t, "-c", "import subprocess; subprocess.run(['true'])").exited(1).complained("OSError")
	w.python(t, "-c", "import socket; socket.create_connection(('127.0.0.1', 1))").exited(1).complained("PermissionError")
}

// TestPythonForAnApplication has its packages, wherever the command is given.
func TestPythonForAnApplication(t *testing.T) {
	t.Parallel()
	w, folder := newWorld(t), t.TempDir()
	write(t, folder, "app/wsgi.py", "def application(environ, start_response):\n    return []\n")
	write(t, folder, "app/requirements.txt", "itsdangerous==2.2.0\n")
	w.run(t, program{args: []string{"python", "--app", "app", "--state-dir", "state", "-c", "import itsdangerous; print('found')"}, dir: folder}).
		exited(0).printed("found\n")
}

// TestPythonUsage makes mistakes on the command line.
func TestPythonUsage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.python(t, "--mount").exited(2).complained("--mount needs a value")
	w.python(t, "--mount", "/nowhere-at-all:/x").exited(2).complained("/nowhere-at-all")
	w.python(t, "--env", "NOVALUE").exited(2).complained("NAME=VALUE")
	w.python(t, "--memory", "lots").exited(2).complained("lots")
	w.python(t, "--timeout", "soon").exited(2).complained("soon")
	w.python(t, "--help").exited(0).printed("--mount HOST:GUEST", "--timeout DURATION")
	w.python(t, "--timeout", "300ms", "-c", "while True: pass").exited(1).complained("300ms")
	w.python(t, "--memory", "64MiB", "-c", "x = bytearray(1 << 30)").exited(1).complained("MemoryError")
}
