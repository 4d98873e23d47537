package wasi

import (
	"path"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

func TestParsePath(t *testing.T) {
	deep := strings.Repeat("d/", MaxDepth-1) + "d"
	tests := []struct {
		path  string
		name  string
		dir   bool
		errno sys.Errno
	}{
		{path: ".", name: ".", dir: true},
		{path: "./", name: ".", dir: true},
		{path: "a", name: "a"},
		{path: "a/b", name: "a/b"},
		{path: "a//b", name: "a/b"},
		{path: "./a/./b", name: "a/b"},
		{path: "a/", name: "a", dir: true},
		{path: "a//", name: "a", dir: true},
		{path: "a/.", name: "a", dir: true},
		{path: "a/..", name: ".", dir: true},
		{path: "a/../b", name: "b"},
		{path: "a/b/../../c", name: "c"},
		{path: "...", name: "..."},
		{path: "a/..b", name: "a/..b"},
		{path: "%2e%2e/x", name: "%2e%2e/x"},
		{path: `..\x`, name: `..\x`},
		{path: "ＡＢ/é", name: "ＡＢ/é"},
		{path: "․․/x", name: "․․/x"}, // U+2024, one dot leader
		{path: deep, name: deep},
		{path: strings.Repeat("n", MaxName), name: strings.Repeat("n", MaxName)},

		{path: "", errno: sys.ENOENT},
		{path: "/", errno: sys.EPERM},
		{path: "/etc/passwd", errno: sys.EPERM},
		{path: "//etc/passwd", errno: sys.EPERM},
		{path: "..", errno: sys.EPERM},
		{path: "../", errno: sys.EPERM},
		{path: "../x", errno: sys.EPERM},
		{path: "../../etc/passwd", errno: sys.EPERM},
		{path: "./../x", errno: sys.EPERM},
		{path: "a/../..", errno: sys.EPERM},
		{path: "a/../../a", errno: sys.EPERM},
		{path: "a/b/../../../x", errno: sys.EPERM},
		{path: "a\x00b", errno: sys.EINVAL},
		{path: "\x00", errno: sys.EINVAL},
		{path: "a\xff", errno: EILSEQ},
		{path: "\xc0\xae\xc0\xae/x", errno: EILSEQ}, // ".." in overlong UTF-8
		{path: deep + "/d", errno: sys.ENAMETOOLONG},
		{path: strings.Repeat("n", MaxName+1), errno: sys.ENAMETOOLONG},
		{path: strings.Repeat("/", MaxPath+1), errno: sys.ENAMETOOLONG},
		{path: strings.Repeat("./", MaxPath/2) + "a", errno: sys.ENAMETOOLONG},
	}
	for _, tc := range tests {
		name, dir, errno := parsePath(tc.path)
		if name != tc.name || dir != tc.dir || errno != tc.errno {
			t.Errorf("parsePath(%.40q) = %.40q, %v, %v; want %.40q, %v, %v",
				tc.path, name, dir, errno, tc.name, tc.dir, tc.errno)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{"a/b", "../x", "/x", "a/./b/", "a\x00", "\xff", "a/../..", strings.Repeat("a/", 80)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, p string) {
		name, dir, errno := parsePath(p)
		if errno != 0 {
			if name != "" || dir {
				t.Fatalf("parsePath(%q) = %q, %v beside the error %v", p, name, dir, errno)
			}
			return
		}
		if want := path.Clean(p); name != want {
			t.Fatalf("parsePath(%q) = %q, want %q", p, name, want)
		}
		if name != "." && (strings.HasPrefix(name, "/") || strings.HasPrefix(name+"/", "../")) {
			t.Fatalf("parsePath(%q) = %q leaves the root", p, name)
		}
		for part := range strings.SplitSeq(name, "/") {
			if len(part) > MaxName || part == "" || part == ".." {
				t.Fatalf("parsePath(%q) = %q has the component %q", p, name, part)
			}
		}
		again, _, errno := parsePath(name)
		if again != name || errno != 0 {
			t.Fatalf("parsePath(%q) = %q, %v: a clean path must not change", name, again, errno)
		}
	})
}

func BenchmarkParsePath(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, errno := parsePath("usr/lib/python3.13/encodings/utf_8.py"); errno != 0 {
			b.Fatal(errno)
		}
	}
}
