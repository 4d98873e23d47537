package bundle

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/tenants"
)

// member is one entry of an archive that a test makes.
type member struct {
	name string
	text string
	mode fs.FileMode // 0 is a plain file
	link string      // target of a hard link, in tar only
	more int64       // zero bytes after the text
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (m member) content() io.Reader {
	return io.MultiReader(strings.NewReader(m.text), io.LimitReader(zeroes{}, m.more))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func zipOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate, Modified: time.Date(2020, 5, 4, 3, 2, 2, 0, time.UTC)}
		if m.mode != 0 {
			h.SetMode(m.mode)
		}
		w, err := z.CreateHeader(h)
		must(t, err)
		_, err = io.Copy(w, m.content())
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

func tarOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.text)) + m.more, ModTime: time.Date(2020, 5, 4, 3, 2, 2, 0, time.UTC)}
		switch {
		case m.link != "":
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, m.link, 0
		case m.mode&fs.ModeSymlink != 0:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, m.text, 0
		case m.mode&fs.ModeDevice != 0:
			h.Typeflag, h.Size = tar.TypeBlock, 0
		case m.mode.IsDir():
			h.Typeflag = tar.TypeDir
		}
		must(t, w.WriteHeader(h))
		if h.Size > 0 {
			_, err := io.Copy(w, m.content())
			must(t, err)
		}
	}
	must(t, w.Close())
	return b.Bytes()
}

func gzipOf(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(text)
	must(t, errors.Join(err, z.Close()))
	return b.Bytes()
}

var small = Limits{Archive: 1 << 20, Bytes: 100_000, Files: 20}

func unpack(t testing.TB, archive []byte, l Limits) (string, Report, error) {
	t.Helper()
	outer := t.TempDir()
	dir := filepath.Join(outer, "app")
	must(t, os.Mkdir(dir, 0o755))
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	report, err := Unpack(bytes.NewReader(archive), int64(len(archive)), root, l)
	if all, _ := os.ReadDir(outer); len(all) != 1 {
		t.Errorf("beside the folder: %v", all)
	}
	return dir, report, err
}

// tree lists files with their content, and empty folders.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		if e.IsDir() {
			out = append(out, rel+"/")
			return nil
		}
		text, err := os.ReadFile(name)
		out = append(out, rel+"="+string(text))
		return err
	}))
	return out
}

func TestUnpack(t *testing.T) {
	members := []member{
		{name: "wsgi.py", text: "app"}, {name: "static/", mode: fs.ModeDir | 0o777}, {name: "static/a.css", text: "css", mode: 0o777},
		{name: "pkg/deep/x.py", text: "x"}, {name: "pkg/", mode: fs.ModeDir | 0o700},
		{name: ".git/config", text: "no"}, {name: "pkg/__pycache__/x.pyc", text: "no"}, {name: "pkg/y.pyc", text: "no"}, {name: "venv/a", text: "no"},
	}
	want := []string{"pkg/", "pkg/deep/", "pkg/deep/x.py=x", "static/", "static/a.css=css", "wsgi.py=app"}
	for name, archive := range map[string][]byte{
		"zip": zipOf(t, members...), "tar": tarOf(t, members...), "tar.gz": gzipOf(t, tarOf(t, members...)),
		"dots": tarOf(t, append([]member{{name: "./", mode: fs.ModeDir}}, dotted(members)...)...),
	} {
		dir, report, err := unpack(t, archive, small)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := tree(t, dir); !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
		if report != (Report{Files: 3, Bytes: 7, Ignored: 4}) {
			t.Errorf("%s: %+v", name, report)
		}
		info, err := os.Stat(filepath.Join(dir, "static/a.css"))
		must(t, err)
		if info.Mode() != 0o644 || info.ModTime().Year() != 2020 {
			t.Errorf("%s: mode %v of %v", name, info.Mode(), info.ModTime())
		}
	}
}

func dotted(members []member) []member {
	out := slices.Clone(members)
	for i := range out {
		out[i].name = "./" + out[i].name
	}
	return out
}

// TestOneFolder: an archive of a whole folder is what is in it, also when that
// has a folder of its name, or of the name that it has meanwhile.
func TestOneFolder(t *testing.T) {
	dir, _, err := unpack(t, zipOf(t, member{name: "shop/bundle", text: "1"}, member{name: "shop/bundle_", text: "2"}), small)
	if got, want := tree(t, dir), []string{"bundle=1", "bundle_=2"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	dir, _, err = unpack(t, zipOf(t, member{name: "shop/wsgi.py", text: "1"}, member{name: "shop/shop/x.py", text: "2"}), small)
	if got, want := tree(t, dir), []string{"shop/", "shop/x.py=2", "wsgi.py=1"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	ok := member{name: "wsgi.py", text: "x"}
	var many []member
	for i := range 21 {
		many = append(many, member{name: strings.Repeat("d", i+1), text: "x"})
	}
	for name, c := range map[string]struct {
		members []member
		want    string
		only    string // format
	}{
		"slip":         {members: []member{ok, {name: "../x.py", text: "x"}}, want: `the bundle's entry "../x.py" leads out of the bundle or is no clean relative path`},
		"inner slip":   {members: []member{ok, {name: "a/../../x.py", text: "x"}}, want: `the bundle's entry "a/../../x.py" leads out`},
		"absolute":     {members: []member{ok, {name: "/etc/x.py", text: "x"}}, want: `the bundle's entry "/etc/x.py" leads out`},
		"dirty":        {members: []member{ok, {name: "a//x.py", text: "x"}}, want: "is no clean relative path"},
		"backslash":    {members: []member{ok, {name: `..\x.py`, text: "x"}}, want: "has a backslash or a colon in its name"},
		"drive":        {members: []member{ok, {name: `C:x.py`, text: "x"}}, want: "has a backslash or a colon in its name"},
		"control":      {members: []member{ok, {name: "a\nb", text: "x"}}, want: "has control characters"},
		"no UTF-8":     {members: []member{ok, {name: "a\xff", text: "x"}}, want: "is no UTF-8", only: "zip"},
		"long":         {members: []member{ok, {name: strings.Repeat("n", 1025), text: "x"}}, want: "has a name of more than 1024 bytes, 64 folders, or 255 bytes in one of them"},
		"deep":         {members: []member{ok, {name: strings.Repeat("n/", 64) + "x", text: "x"}}, want: "has a name of more than 1024 bytes, 64 folders, or 255 bytes in one of them"},
		"long segment": {members: []member{ok, {name: strings.Repeat("n", 256), text: "x"}}, want: "or 255 bytes in one of them"},
		"link":         {members: []member{ok, {name: "link", text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}}, want: `the bundle's entry "link" is a link: put the file itself there`},
		"hard link":    {members: []member{ok, {name: "link", link: "wsgi.py"}}, want: "is a link", only: "tar"},
		"device":       {members: []member{ok, {name: "device", mode: fs.ModeDevice | 0o666}}, want: "is neither file nor folder"},
		"twice":        {members: []member{ok, ok}, want: "is there twice"},
		"case":         {members: []member{ok, {name: "WSGI.py", text: "x"}}, want: "differs from another one in upper and lower case only"},
		"case folder":  {members: []member{{name: "A/x", text: "x"}, {name: "a", text: "x"}}, want: "is there twice"},
		"file, folder": {members: []member{ok, {name: "wsgi.py/x", text: "x"}}, want: "is in a folder that is a file as well"},
		"folder, file": {members: []member{{name: "a/x", text: "x"}, {name: "a", text: "x"}}, want: "is there twice"},
		"native":       {members: []member{ok, {name: "a/fast.cpython-313-x86_64-linux-gnu.so", text: "x"}}, want: "is compiled code, which cannot run here"},
		"Windows":      {members: []member{ok, {name: "fast.PYD", text: "x"}}, want: "is compiled code, which cannot run here"},
		"pth":          {members: []member{ok, {name: "a/b.pth", text: "import os"}}, want: "use python_path in wasgi.toml"},
		"site":         {members: []member{ok, {name: "sitecustomize.py", text: "x"}}, want: "would run before the application does"},
		"site package": {members: []member{ok, {name: "src/usercustomize/__init__.py", text: "x"}}, want: "would run before the application does"},
		"bomb":         {members: []member{ok, {name: "bomb", more: 100_000}}, want: "the bundle unpacks to more than 100000 bytes"},
		"hidden bomb":  {members: []member{ok, {name: ".git/bomb", more: 300_000}}, want: "the bundle unpacks to more than 100000 bytes", only: "tar.gz"},
		"many":         {members: many, want: "the bundle holds more than 20 files and folders"},
		"many folders": {members: []member{{name: strings.Repeat("a/", 21) + "x", text: "x"}}, want: "the bundle holds more than 20 files and folders"},
		"empty":        {members: []member{{name: "a/", mode: fs.ModeDir}}, want: "the bundle holds no file"},
		"ignored":      {members: []member{{name: ".git/x", text: "x"}}, want: "the bundle holds no file"},
	} {
		for kind, archive := range map[string]func() []byte{
			"zip": func() []byte { return zipOf(t, c.members...) }, "tar": func() []byte { return tarOf(t, c.members...) },
			"tar.gz": func() []byte { return gzipOf(t, tarOf(t, c.members...)) },
		} {
			if c.only != "" && c.only != kind {
				continue
			}
			_, _, err := unpack(t, archive(), small)
			var refusal *Refusal
			if !errors.As(err, &refusal) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s in %s: %v, want %q", name, kind, err, c.want)
			}
		}
	}
}

func TestBroken(t *testing.T) {
	whole := gzipOf(t, tarOf(t, member{name: "wsgi.py", text: strings.Repeat("x", 5000)}))
	zipped := zipOf(t, member{name: "wsgi.py", text: strings.Repeat("x", 5000)})
	damaged := slices.Clone(zipped)
	damaged[60] ^= 0xff
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"nothing":      {nil, "the bundle is neither zip nor tar.gz nor tar"},
		"text":         {[]byte("hello"), "the bundle is neither zip nor tar.gz nor tar"},
		"cut tar.gz":   {whole[:len(whole)-20], "cannot be read"},
		"cut zip":      {zipped[:len(zipped)-10], "is no zip that can be read"},
		"damaged zip":  {damaged, "cannot be read"},
		"gzip of text": {gzipOf(t, []byte("hello")), "is no tar that can be read"},
		"too large":    {make([]byte, small.Archive+1), "the bundle has 1048577 bytes: 1048576 are allowed"},
	} {
		_, _, err := unpack(t, c.archive, small)
		var refusal *Refusal
		if !errors.As(err, &refusal) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestDirectoryIsBounded: the directory of a zip is not read into memory beyond
// what its files may take.
func TestDirectoryIsBounded(t *testing.T) {
	var members []member
	for i := range 3000 {
		members = append(members, member{name: strings.Repeat("n", 40) + string(rune('a'+i%26)) + strings.Repeat("x", i%900)})
	}
	_, _, err := unpack(t, zipOf(t, members...), Limits{Archive: 8 << 20, Bytes: 1000, Files: 20})
	if err == nil || err.Error() != "the bundle holds more than 20 files: leave out what the application does not need" {
		t.Error(err)
	}
}

// TestPack: what is packed is what is there, as a release counts it.
func TestPack(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"wsgi.py": "1", "a/b/c.txt": "2", ".git/HEAD": "no", "a/__pycache__/x.pyc": "no", ".hidden": "3"} {
		must(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640))
	}
	var first, second bytes.Buffer
	must(t, Pack(&first, dir))
	must(t, Pack(&second, dir))
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("packed twice, it differs")
	}
	out, report, err := unpack(t, first.Bytes(), small)
	must(t, err)
	if report != (Report{Files: 3, Bytes: 3}) {
		t.Errorf("%+v", report)
	}
	before, err := tenants.Fingerprint(dir)
	must(t, err)
	if after, err := tenants.Fingerprint(out); err != nil || after != before {
		t.Errorf("the digest is %v, was %v; %v", after, before, err)
	}
	must(t, os.Symlink("wsgi.py", filepath.Join(dir, "link.py")))
	if err := Pack(io.Discard, dir); err == nil || !strings.Contains(err.Error(), `entry "link.py" is a link`) {
		t.Error(err)
	}
}

// FuzzUnpack: whatever the bytes, nothing is written outside, nothing above the
// limits, nothing but files and folders, and every refusal is one.
func FuzzUnpack(f *testing.F) {
	members := []member{{name: "a/wsgi.py", text: "x"}, {name: "../b", text: "y"}, {name: "l", text: "a", mode: fs.ModeSymlink}, {name: "z", more: 2000}}
	f.Add(zipOf(f, members[0]))
	f.Add(zipOf(f, members...))
	f.Add(tarOf(f, members...))
	f.Add(tarOf(f, members[0], members[3]))
	f.Add(gzipOf(f, tarOf(f, members[0], member{name: "h", link: "a"})))
	limits := Limits{Archive: 64 << 10, Bytes: 4096, Files: 10}
	f.Fuzz(func(t *testing.T, archive []byte) {
		dir, report, err := unpack(t, archive, limits)
		if report.Bytes > limits.Bytes || report.Files > limits.Files {
			t.Errorf("%+v", report)
		}
		var refusal *Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Errorf("%T %v", err, err)
		}
		entries := 0
		must(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entries++; !e.IsDir() && !e.Type().IsRegular() {
				t.Errorf("%s is a %v", name, e.Type())
			}
			return nil
		}))
		if entries > limits.Files+2 {
			t.Errorf("%d files and folders", entries)
		}
	})
}
