package static

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"time"
)

// File is an open file that answers a request.
type File struct {
	file   *os.File
	info   fs.FileInfo
	kind   string // media type
	coding string // content coding, "" for none
	varies bool   // other clients may get another file
	cfg    *Config
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Size is the length of the file in bytes.
func (f *File) Size() int64 { return f.info.Size() }

// Encoded says whether the file is compressed already.
func (f *File) Encoded() bool { return f.coding != "" }

// Serve answers a GET or a HEAD: with the whole file, with ranges of it (RFC 9110
// section 14), or with 304, 412 or 416. w gets the length by Content-Length also
// for a file that is compressed already.
func (f *File) Serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Content-Type"] = []string{f.kind}
	h["Etag"] = []string{f.tag()}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	if f.varies {
		h["Vary"] = []string{"Accept-Encoding"}
	}
	if f.cfg.MaxAge > 0 {
		h["Cache-Control"] = []string{"max-age=" + strconv.FormatInt(int64(f.cfg.MaxAge/time.Second), 10)}
	}
	if f.coding != "" {
		h["Content-Encoding"] = []string{f.coding}
		w = &sized{w, f.info.Size()}
	}
	http.ServeContent(w, r, "", f.info.ModTime(), f.file)
}

// tag is a strong entity tag: it changes with the release, the time, the size and
// the coding. What an application writes into its own folder within a release
// changes the time, which file systems keep in nanoseconds.
func (f *File) tag() string {
	b := append([]byte(f.cfg.Release), 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.info.ModTime().UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.info.Size()))
	b = append(b, f.coding...)
	sum := sha256.Sum256(b)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// sized adds the length that http.ServeContent leaves out of an encoded answer,
// because somebody might be encoding it on the way.
type sized struct {
	http.ResponseWriter
	size int64
}

// WriteHeader implements http.ResponseWriter.
func (s *sized) WriteHeader(status int) {
	if status == http.StatusOK {
		s.Header()["Content-Length"] = []string{strconv.FormatInt(s.size, 10)}
	}
	s.ResponseWriter.WriteHeader(status)
}
