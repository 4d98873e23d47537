package edge

import (
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Through puts something between the response and its connection, before anything
// is sent.
func (r *Response) Through(wrap func(http.ResponseWriter) http.ResponseWriter) {
	r.connect(wrap(r.w))
	r.atHand = false
}

// Direct lets the host answer by itself, without a guest: serve writes the whole
// response to w. One that is shorter than it said, a file that was cut meanwhile,
// ends the connection.
func (r *Response) Direct(serve func(w http.ResponseWriter)) {
	h := r.w.Header()
	if _, ok := h["Server"]; !ok && r.opts.Server != "" {
		h["Server"] = []string{r.opts.Server}
	}
	d := &direct{ResponseWriter: r.w, to: r, length: unknown}
	serve(d)
	if !r.bodyless && d.length >= 0 && r.bytes < d.length {
		panic(http.ErrAbortHandler)
	}
}

// direct keeps count of a response that the host makes.
type direct struct {
	http.ResponseWriter
	to     *Response
	length int64 // that was announced, or unknown
}

// Unwrap is for http.ResponseController.
func (d *direct) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (d *direct) WriteHeader(status int) {
	h := d.Header()
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil {
		d.length = n
	}
	if status == http.StatusNotModified { // HTTP/2 would send it
		h["Content-Type"] = nil
	}
	d.to.bodyless = bodyless(d.to.method, status)
	d.to.sent, d.to.status = true, status
	d.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (d *direct) Write(p []byte) (int, error) {
	n, err := d.ResponseWriter.Write(p)
	d.to.bytes += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom, so that the kernel can send a file.
func (d *direct) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(d.ResponseWriter, r)
	d.to.bytes += n
	return n, err
}

// Joined is a header that came in several lines as one (RFC 9110 section 5.3).
func Joined(lines []string) string { return strings.Join(lines, ",") }
