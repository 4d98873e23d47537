package guesttest

import (
	"strings"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

// TestPython runs python's command line.
func TestPython(t *testing.T) {
	t.Setenv("WASGI_GUEST_APPS", "testdata/entries")
	for _, test := range []struct {
		args   string
		status int32
		out    string // all that was written
	}{
		{"-c print(1+1)", 0, "2\n"},
		{"-c import(sys);sys.exit(3)", 3, ""},
		{"-c import(sys);sys.exit('text')", 1, "text\n"},
		{"-c import(sys);sys.exit(257)", 257, ""},
		{"script.py a b", 0, "['script.py', 'a', 'b'] __main__ /app\n"},
		{"-m package.module", 0, ""},
		{"-m package.command x", 0, "['/app/package/command.py', 'x'] __main__ /app\n"},
		{"absent.py", 2, "/usr/bin/python3.13: can't open file '/app/absent.py': [Errno 44] No such file or directory\n"},
		{"-V", 0, "Python 3.13.5\n"},
		{"-c import(sys);print(sys.flags.utf8_mode,sys.dont_write_bytecode,sys.flags.no_user_site,sys.prefix)", 0,
			"1 True 1 /usr\n"},
		{"-c import(sys);print(sys.path)", 0,
			"['', '/app', '/usr/lib/python3.13', '/usr/lib/python3.13/site-packages']\n"},
		{"-c import(sys);print(sys.get_int_max_str_digits())", 0, "4300\n"},
		{"-c import(atexit);atexit.register(print,'bye')", 0, "bye\n"},
		{"-c import(gc,operator);d={};d['m']=operator.methodcaller('x',d);d=0;print(gc.collect()>0)", 0, "True\n"},
	} {
		t.Run(test.args, func(t *testing.T) {
			words := strings.Fields("python " + test.args)
			for i, w := range words {
				words[i] = strings.Replace(strings.Replace(w, "import(", "import ", 1), ");", ";", 1)
			}
			in := start(t, abi.BootModePython, words...)
			status := in.exit(abi.ExportRun)
			if got := in.stdout.String(); status != test.status || got != test.out {
				t.Errorf("status %d, wrote %q; want %d, %q", status, got, test.status, test.out)
			}
		})
	}
}

// TestPythonUsage says how the command is used, and ends with its status.
func TestPythonUsage(t *testing.T) {
	in := start(t, abi.BootModePython, "python", "--absent")
	status := in.exit(abi.ExportRun)
	if first, _, _ := strings.Cut(in.stdout.String(), "\n"); status != 2 || first != "unknown option --absent" {
		t.Errorf("status %d, %q", status, in.stdout)
	}
}

// TestPythonTraceback ends with status 1 and the traceback on stderr.
func TestPythonTraceback(t *testing.T) {
	in := start(t, abi.BootModePython, "python", "-c", "1/0")
	status := in.exit(abi.ExportRun)
	if status != 1 || lastLine(in.stdout.String()) != "ZeroDivisionError: division by zero" {
		t.Errorf("status %d, %q", status, in.stdout)
	}
}

// TestEnvironment is the tenant's, and nothing but it.
func TestEnvironment(t *testing.T) {
	boot := abi.Boot{Mode: abi.BootModePython, Cwd: "/app",
		Args: []string{"python", "-c", "import os, sys; print(dict(os.environ), sys.path[1:3], sys.flags.utf8_mode)"}}
	in, status := tryStart(t, boot, map[string]string{"PYTHONPATH": "/one:/two", "PYTHONUTF8": "0"})
	if status != abi.StatusOK {
		t.Fatal(status)
	}
	in.exit(abi.ExportRun)
	want := "{'PYTHONPATH': '/one:/two', 'PYTHONUTF8': '0'} ['/one', '/two'] 1\n"
	alternative := "{'PYTHONUTF8': '0', 'PYTHONPATH': '/one:/two'} ['/one', '/two'] 1\n"
	if got := in.stdout.String(); got != want && got != alternative {
		t.Errorf("%q", got)
	}
}
