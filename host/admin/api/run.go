package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

func (a *API) runs() {
	run := operation("run", http.MethodPost, "/tenants/{tenant}/run", "Run Python as the tenant", rightChange, http.StatusNotFound)
	run.Description += " The program sees the application, its packages, its environment and its /data. The body is its standard input. " +
		"The stream ends with a line that has its exit status or an error."
	run.Responses = streamOf[RunOutput](a.huma)
	run.RequestBody = &huma.RequestBody{Description: "Standard input", Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}},
	}}
	huma.Register(a.huma, run, a.run)
}

type runInput struct {
	TenantPath
	Args []string `query:"arg,explode" required:"true" minItems:"1" maxItems:"1000" doc:"Python's command line: -m, -c or a script, and its arguments"`
}

func (a *API) run(ctx context.Context, in *runInput) (*huma.StreamResponse, error) {
	if _, err := a.backend.Tenant(in.Tenant); err != nil {
		return nil, a.problem(ctx, err)
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		_, w := humago.Unwrap(h)
		// HTTP/2 needs no word; where both ways at once are not possible the program
		// sees the end of its input early.
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		h.SetHeader("Connection", "close") // what is left of the input is read by nobody
		out := &output{lines: begin(h)}
		if out.flush() != nil {
			return
		}
		ctx, cancel := context.WithCancel(h.Context())
		defer cancel()
		stdin, end := ahead(h.BodyReader(), cancel)
		status, err := a.backend.Run(ctx, in.Tenant, in.Args, stdin, out.stream("stdout"), out.stream("stderr"))
		_ = control.SetReadDeadline(time.Now()) // whoever still reads the input stops
		end()
		last := RunOutput{Exit: &status}
		if err != nil {
			last = RunOutput{Error: err.Error()}
		}
		_ = out.put(last) // a client that has left hears nothing
	}}, nil
}

// ahead reads the input a piece ahead of the program, because a server of net/http
// does not notice that a client has left before somebody reads: left is called then.
// A program that leaves a piece unread goes on. end waits for the end of the
// reading, which must have been brought about.
func ahead(body io.Reader, left func()) (in io.Reader, end func()) {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() { // ends with the body, or with the pipe
		defer close(done)
		_, err := io.Copy(w, body)
		if err != nil && !errors.Is(err, io.ErrClosedPipe) {
			left()
		}
		_ = w.CloseWithError(err) // never fails
	}()
	return r, func() {
		_ = r.Close() // never fails
		<-done
	}
}

// output is both streams of a program.
type output struct {
	*lines
	mu sync.Mutex
}

func (o *output) stream(name string) io.Writer { return stream{o, name} }

type stream struct {
	to   *output
	name string
}

// Write implements io.Writer.
func (s stream) Write(p []byte) (int, error) {
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	if err := s.to.put(RunOutput{Stream: s.name, Data: p}); err != nil {
		return 0, err
	}
	return len(p), nil
}
