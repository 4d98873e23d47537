package compress

import (
	"io"
	"net/http"
)

// Writer is a response that may be compressed. It is for one goroutine at a time.
// The caller must Close it when the response is whole, or Abandon it.
type Writer struct {
	http.ResponseWriter
	from    *Encoders
	above   int64
	off     bool
	coding  string // that the client takes, "" for none
	head    bool   // the request is a HEAD
	decided bool
	to      counter
	encoder encoder // nil when the response goes out as it is
}

// Wrap makes a Writer for a request. A response whose length is known and below
// above goes out as it is; accepts says whether the client takes a coding.
func (e *Encoders) Wrap(w http.ResponseWriter, r *http.Request, above int64, accepts func(coding string) bool) *Writer {
	out := &Writer{ResponseWriter: w, from: e, above: above, head: r.Method == http.MethodHead, to: counter{w: w}}
	for _, c := range []string{"zstd", "gzip"} {
		if out.coding == "" && accepts(c) {
			out.coding = c
		}
	}
	return out
}

// Off sends the response as it is, whatever it says. It comes before the head.
func (w *Writer) Off() { w.off = true }

// Unwrap is for http.ResponseController.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Sent is how many bytes of body the encoder has made, and whether one was used.
func (w *Writer) Sent() (bytes int64, compressed bool) { return w.to.n, w.encoder != nil }

// WriteHeader implements http.ResponseWriter.
func (w *Writer) WriteHeader(status int) {
	if status >= 200 && !w.decided && !w.off {
		w.decided = true
		w.decide(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *Writer) decide(status int) {
	h := w.Header()
	if status == http.StatusNotModified { // of what was compressed, or not
		vary(h)
		if w.coding != "" {
			weaken(h)
		}
		return
	}
	if n := length(h); !compressible(status, h) || n >= 0 && n < w.above {
		return
	}
	vary(h)
	if w.coding == "" {
		return
	}
	if !w.head {
		if w.encoder = w.from.take(w.coding, &w.to); w.encoder == nil {
			return
		}
	}
	delete(h, spelled(h, "Content-Length"))
	delete(h, spelled(h, "Accept-Ranges"))
	h["Content-Encoding"] = []string{w.coding}
	weaken(h)
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	if !w.decided && !w.off {
		w.WriteHeader(http.StatusOK)
	}
	if w.encoder != nil {
		return w.encoder.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom implements io.ReaderFrom: a file that goes out as it is is the
// kernel's to send.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	if !w.decided && !w.off {
		w.WriteHeader(http.StatusOK)
	}
	if w.encoder == nil {
		return io.Copy(w.ResponseWriter, r)
	}
	return io.Copy(struct{ io.Writer }{w.encoder}, r)
}

// FlushError is what http.ResponseController looks for: all that was written goes
// to the client.
func (w *Writer) FlushError() error {
	if w.encoder != nil {
		if err := w.encoder.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Close ends the coding of a whole response.
func (w *Writer) Close() error {
	if w.encoder == nil {
		return nil
	}
	err := w.encoder.Close()
	w.Abandon()
	return err
}

// Abandon lets go of a response that is not to look whole. After Close it does
// nothing.
func (w *Writer) Abandon() {
	if w.encoder != nil && !w.to.over {
		w.to.over = true
		w.from.give(w.coding, w.encoder)
	}
}

// counter counts what goes to the connection.
type counter struct {
	w    io.Writer
	n    int64
	over bool
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
