package console

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
)

// uploadPause is how long a browser may send nothing of a bundle.
const uploadPause = 30 * time.Second

// deploy takes a bundle and has it serve. The answer is a page that grows with each
// step, so that nothing has to be asked for again.
func (c *Console) deploy(v *visit) error {
	got, bundle, err := v.openUpload()
	if err != nil {
		return err
	}
	revision, err := parseRevision(got["revision"])
	if err != nil {
		return err
	}
	before, err := c.Host.Tenant(v.tenant)
	if err == nil && before.Revision != revision {
		err = problem(http.StatusPreconditionFailed, changedMeanwhile)
	}
	if err != nil {
		return v.refuseUpload(bundle, err)
	}
	r, err := c.upload(v, bundle)
	if err != nil {
		return v.failed(err)
	}
	after, err := c.Host.Tenant(v.tenant) // the upload was a change as well
	if err == nil && after.Current != before.Current {
		err = problem(http.StatusPreconditionFailed, changedMeanwhile)
	}
	if err != nil {
		return v.failed(err)
	}
	return c.follow(v, r, after.Revision)
}

const changedMeanwhile = "somebody else has changed the tenant since this page was made: look at what serves now, and deploy again"

// refuseUpload shows what is wrong before a bundle is taken.
func (v *visit) refuseUpload(bundle *multipart.Part, err error) error {
	_, _ = io.CopyN(io.Discard, bundle, maxDrained) // see there
	v.patient()
	return v.failed(err)
}

// deployNew is deploy for a name that the form says.
func (c *Console) deployNew(v *visit) error {
	got, bundle, err := v.openUpload()
	if err != nil {
		return err
	}
	name := strings.TrimSpace(got["tenant"])
	switch {
	case !validName(name):
		return problem(http.StatusUnprocessableEntity, "a tenant's name has small letters, digits, . _ and -, begins with a letter or a digit, and has 63 at most")
	case !v.caller.Changes(name):
		return problem(http.StatusForbidden, "this token does not allow that: it is for "+v.caller.Scope())
	}
	v.tenant = name
	r, err := c.upload(v, bundle)
	if err != nil {
		status, text := c.explain(err)
		v.audit(status)
		v.tenant = ""
		return c.showOverview(v, status, sentence(text))
	}
	return c.follow(v, r, 0)
}

func (v *visit) openUpload() (fields, *multipart.Part, error) {
	v.patient()
	v.Body = struct {
		io.Reader
		io.Closer
	}{slow{v.Body, http.NewResponseController(v.w)}, v.Body}
	return v.open()
}

// slow gives each piece of an upload a time of its own.
type slow struct {
	from    io.Reader
	control *http.ResponseController
}

// Read implements io.Reader.
func (s slow) Read(p []byte) (int, error) {
	_ = s.control.SetReadDeadline(time.Now().Add(uploadPause)) // a test's recorder has none
	return s.from.Read(p)
}

// maxDrained is how much of a bundle that is refused is read all the same, so that
// the browser gets to see why, in bytes.
const maxDrained = 64 << 20

func (c *Console) upload(v *visit, bundle *multipart.Part) (api.Release, error) {
	if bundle.FileName() == "" {
		return api.Release{}, problem(http.StatusUnprocessableEntity, "choose the file of a bundle first")
	}
	// How much there may be of it is the backend's to say, as for everybody.
	r, err := c.Host.Upload(v.Context(), v.tenant, bundle, "", v.caller.Name)
	_, _ = io.CopyN(io.Discard, bundle, maxDrained) // what is left, if anything
	v.patient()
	return r, err
}

// step is something that happens while a release comes into service.
type step struct{ At, Text, Class string }

// follow has a release serve, and tells the steps as they happen.
func (c *Console) follow(v *visit, r api.Release, revision uint64) error {
	ctx, cancel := context.WithCancel(v.Context())
	defer cancel()
	events := make(chan api.Event, 64)
	c.Host.Events(ctx, func(e api.Event) {
		if e.Tenant != v.tenant || e.Kind != "progress" {
			return
		}
		select {
		case events <- e:
		default: // the browser is slow: it misses steps, not the end
		}
	})
	out := &growing{v: v, control: http.NewResponseController(v.w)}
	out.begin(r)
	ended := make(chan error, 1)
	go func() { // ends with the deploy, which ctx ends
		_, err := c.Host.Deploy(ctx, v.tenant, r.Digest, revision)
		ended <- err
	}()
	for {
		select {
		case e := <-events:
			out.step(e.Text, "plain")
		case err := <-ended:
			for len(events) > 0 { // those that came with the end
				out.step((<-events).Text, "plain")
			}
			out.end(err)
			return nil
		}
	}
}

// growing is a page that is sent piece by piece. What cannot be sent is lost: the
// reader has left.
type growing struct {
	v       *visit
	control *http.ResponseController
}

func (g *growing) put(part string, data any) {
	_ = g.control.SetWriteDeadline(time.Now().Add(uploadPause))
	if err := g.v.console.part(g.v.w, "deploying", part, data); err != nil {
		g.v.console.Log.Debug("a page of the console could not be sent", "error", err)
	}
	_ = g.control.Flush()
}

func (g *growing) begin(r api.Release) {
	g.v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	f := g.v.frame("Deploying " + g.v.tenant)
	f.Page = r
	g.put("begin", f)
	g.step("uploaded", "plain")
}

func (g *growing) step(text, class string) {
	g.put("step", step{At: g.v.console.Now().UTC().Format("15:04:05"), Text: text, Class: class})
}

// end says how it went. The head of the answer is long gone: the audit log has the
// status that it would have had.
func (g *growing) end(err error) {
	status, text := http.StatusOK, ""
	switch {
	case errors.Is(err, context.Canceled):
		status, text = http.StatusServiceUnavailable, "the host ends, or the browser has left: nothing has changed"
	case err != nil:
		status, text = g.v.console.explain(err)
	}
	g.v.audit(status)
	g.put("end", ending{Tenant: g.v.tenant, Problem: sentence(text)})
}

// ending is the last piece of the page.
type ending struct{ Tenant, Problem string }
