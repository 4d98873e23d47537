package tenants

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entry is one of a wheel that is made by hand.
type entry struct {
	name string
	mode fs.FileMode
	text string
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(w, e.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func rewritten(data []byte) ([]byte, error) {
	var out bytes.Buffer
	err := rewrite(&out, bytes.NewReader(data), int64(len(data)), 10<<20)
	return out.Bytes(), err
}

func TestWheelsAreRefused(t *testing.T) {
	good := archive(t, entry{name: "a/b.py", text: "b"})
	lies := bytes.Clone(good)
	at := bytes.LastIndex(lies, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(lies[at+24:], 1000)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"zip slip":        {archive(t, entry{name: "../evil.py"}), `its entry "../evil.py" leads out of the folder or is no clean path`},
		"hidden slip":     {archive(t, entry{name: "a/../../evil.py"}), `its entry "a/../../evil.py" leads out of the folder or is no clean path`},
		"absolute":        {archive(t, entry{name: "/etc/evil"}), `its entry "/etc/evil" leads out of the folder or is no clean path`},
		"drive":           {archive(t, entry{name: "C:/evil"}), `its entry "C:/evil" leads out of the folder or is no clean path`},
		"backslash":       {archive(t, entry{name: `..\evil`}), `its entry "..\\evil" leads out of the folder or is no clean path`},
		"NUL":             {archive(t, entry{name: "a\x00.py"}), `its entry "a\x00.py" leads out of the folder or is no clean path`},
		"dot":             {archive(t, entry{name: "./a"}), `its entry "./a" leads out of the folder or is no clean path`},
		"empty name":      {archive(t, entry{name: ""}), `its entry "" leads out of the folder or is no clean path`},
		"link":            {archive(t, entry{name: "link", mode: fs.ModeSymlink | 0o777, text: "/etc/passwd"}), `its entry "link" is neither file nor folder`},
		"device":          {archive(t, entry{name: "null", mode: fs.ModeDevice | fs.ModeCharDevice | 0o666}), `its entry "null" is neither file nor folder`},
		"fifo":            {archive(t, entry{name: "fifo", mode: fs.ModeNamedPipe | 0o666}), `its entry "fifo" is neither file nor folder`},
		"twice":           {archive(t, entry{name: "a"}, entry{name: "a"}), `its entry "a" is there twice`},
		"twice by case":   {archive(t, entry{name: "a.py"}, entry{name: "A.py"}), `its entry "A.py" is there twice`},
		"file and folder": {archive(t, entry{name: "a/"}, entry{name: "a"}), `its entry "a" is there twice`},
		"size that lies":  {lies, `its entry "a/b.py" cannot be read: unexpected EOF`},
		"no zip":          {[]byte("#!/bin/sh"), "it is no wheel: zip: not a valid zip file"},
		"cut short":       {good[:len(good)-5], "it is no wheel: zip: not a valid zip file"},
		"nothing":         {nil, "it is no wheel: zip: not a valid zip file"},
	} {
		if _, err := rewritten(c.data); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// TestWheelIsPlainAfterwards: what surrounds the archive, its comment, modes
// and extra fields are gone.
func TestWheelIsPlainAfterwards(t *testing.T) {
	data := append([]byte("#!/usr/bin/python3\n"), archive(t, entry{name: "a/"}, entry{"a/run", fs.ModeSetuid | 0o777, "text"})...)
	out, err := rewritten(data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(out), int64(len(out)))
	if err != nil || len(r.File) != 1 || r.File[0].Name != "a/run" || r.File[0].Mode()&^fs.FileMode(0o777) != 0 || !bytes.HasPrefix(out, []byte("PK")) {
		t.Errorf("%v, %q", err, out)
	}
}

func TestWheelBomb(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for _, name := range []string{"a", "b"} {
		w, err := z.Create(name)
		for range 6 {
			if err == nil {
				_, err = w.Write(zeros)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := rewritten(b.Bytes()); err == nil || err.Error() != "it unpacks to more than 10485760 bytes" {
		t.Errorf("%v", err)
	}
	many := make([]entry, maxWheelFiles+1)
	for i := range many {
		many[i].name = "f" + strings.Repeat("x", i%7) + string(rune('0'+i%10))
	}
	if _, err := rewritten(archive(t, many...)); err == nil || err.Error() != "it has 50001 files: 50000 are allowed" {
		t.Errorf("%v", err)
	}
}

func TestWheelThatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.whl")
	write(t, big, "")
	if err := os.Truncate(big, 1<<40); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for i, name := range []string{"big.whl", "."} {
		err := copyWheel(root, name, filepath.Join(dir, "copy", string(rune('0'+i))))
		if want := name + ": no wheel of 268435456 bytes at most"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// FuzzWheel: what comes out is a wheel that is let through once more as it is,
// with names that stay inside.
func FuzzWheel(f *testing.F) {
	f.Add(archive(f, entry{name: "a/"}, entry{name: "a/b.py", text: "b"}, entry{name: "c", text: strings.Repeat("c", 5000)}))
	f.Add(archive(f, entry{name: "../x"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := rewritten(data)
		if err != nil {
			return
		}
		again, err := rewritten(out)
		if err != nil || !bytes.Equal(out, again) {
			t.Errorf("not the same again: %v", err)
		}
		r, err := zip.NewReader(bytes.NewReader(out), int64(len(out)))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range r.File {
			if !filepath.IsLocal(e.Name) || !e.Mode().IsRegular() {
				t.Errorf("%q, mode %v", e.Name, e.Mode())
			}
		}
	})
}
