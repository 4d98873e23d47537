package sandbox

import (
	"testing"
	"time"
)

// TestPythonLongestOperation prints how long one operation of the guest keeps
// everybody from stopping it, at a memory limit of 512 MiB. DESIGN.md has what
// was seen; the time itself is no assertion.
func TestPythonLongestOperation(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	p := newPython(t)
	for name, code := range map[string]string{
		"copy":      "b = bytearray(200 << 20); b[:] = b",
		"fill":      "bytes(300 << 20)",
		"repeat":    "'ab' * (100 << 20)",
		"find":      "('a' * (100 << 20)).find('b')",
		"compare":   "bytes(100 << 20) == bytes(100 << 20)",
		"join":      "b''.join([bytes(1 << 20)] * 200)",
		"translate": "bytes(100 << 20).translate(bytes(256))",
		"sort":      "sorted(list(range(2 * 10**6)) * 4)",
		"power":     "3 ** (1 << 20) % 7 ** (1 << 18)",
		"digits":    "import sys; sys.set_int_max_str_digits(0); str(3 ** (1 << 18))",
		"regex":     "import re; re.match('(a+)+$', 'a' * 26 + 'b')",
		"sha256":    "import hashlib; hashlib.sha256(bytes(100 << 20))",
		"pbkdf2":    "import hashlib; hashlib.pbkdf2_hmac('sha256', b'x', b'y', 300000)",
		"scrypt":    "import hashlib; hashlib.scrypt(b'x', salt=b'y', n=2**14, r=8, p=1)",
		"zlib":      "import zlib; zlib.compress(bytes(50 << 20), 9)",
		"lzma":      "import lzma; lzma.compress(bytes(4 << 20))",
		"json":      "import json; json.loads('[' + '1,' * 10**6 + '1]')",
		"sqlite":    "import sqlite3; sqlite3.connect(':memory:').execute('with recursive r(n) as (select 1 union all select n + 1 from r limit 100000) select count(*) from r')",
		"decimal":   "from decimal import *; getcontext().prec = 10**5; Decimal(2).sqrt()",
		"urandom":   "import os; os.urandom(200 << 20)",
		"gc":        "import gc; x = [[] for _ in range(10**6)]; gc.collect()",
	} {
		t.Run(name, func(t *testing.T) {
			spec := p.spec(t, "def application(environ, start_response):\n    start_response('200 OK', [])\n"+
				"    if environ['PATH_INFO'] != '/warm-up':\n        exec("+quoted(code)+")\n    return []\n")
			spec.MemoryLimit = 512 << 20
			in := restore(t, build(t, p.engine, spec))
			serve(t, in, &Request{Environ: get(t, "/")})
			s := in.Stats()
			t.Logf("longest %v of %v", s.Longest.Round(10*time.Microsecond), s.CPU.Round(time.Millisecond))
		})
	}
}

// quoted makes a Python literal of code.
func quoted(code string) string { return "'''" + code + "'''" }
