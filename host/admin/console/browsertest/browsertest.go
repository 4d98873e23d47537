// Package browsertest drives Debian's Chromium, for tests of pages. A test without
// Chromium is skipped and says so; `make tools` installs it.
//
// A browser resolves no name and reaches no other machine, and a test fails when a
// page asks for anything of another origin, logs an error, or breaks its policy.
package browsertest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// ShotsVariable names a folder where screenshots are kept for people to look at.
const ShotsVariable = "WASGI_TEST_SCREENSHOTS"

// patience bounds each step; a machine that is busy may take long.
const patience = 2 * time.Minute

// Browser is a window of a profile of its own.
type Browser struct {
	t      *testing.T
	ctx    context.Context
	origin string

	mu      sync.Mutex // guards all below
	allowed []string   // parts of errors that a test expects
	wrong   []string
}

// Open starts a browser for the pages of an origin. It ends with the test.
func Open(t *testing.T, origin string) *Browser {
	t.Helper()
	program := find()
	if program == "" {
		t.Skip("chromium is missing: `make tools` installs it (Debian's package chromium)")
	}
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.IgnoreCertErrors)
	if os.Getuid() == 0 { // its own sandbox does not work for root, and the pages are ours
		o = append(o, chromedp.NoSandbox)
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), o...)
	t.Cleanup(end)
	b := &Browser{t: t, origin: origin}
	t.Cleanup(b.judge)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithListener(b.hear))
	t.Cleanup(cancel)
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // starts the browser, which lives as long as ctx
		t.Fatalf("%s: %v", program, err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	b.Size(1280, 900)
	return b
}

func call[P, R any](b *Browser, command cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
}

func find() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Expect says that errors with this text are part of the test.
func (b *Browser) Expect(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.allowed = append(b.allowed, text)
}

func (b *Browser) hear(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Scheme+"://"+u.Host != b.origin {
			b.complain("asked for " + e.Request.URL)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" || e.Entry.Source == "security" {
			b.complain("logged " + e.Entry.Text + " " + e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.complain("has a script that failed: " + (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	}
}

func (b *Browser) complain(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = append(b.wrong, text)
}

func (b *Browser) judge() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.wrong {
		expected := false
		for _, a := range b.allowed {
			expected = expected || strings.Contains(text, a)
		}
		if !expected {
			b.t.Errorf("the page %s", text)
		}
	}
}

// do takes steps, all within one patience.
func (b *Browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v, at\n%s", err, b.text())
	}
}

// text is what is to be read at the moment.
func (b *Browser) text() string {
	text, err := evaluate[string](b, "location.href + '\\n' + document.body.innerText")
	if err != nil {
		return err.Error()
	}
	return text
}

func evaluate[T any](b *Browser, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

// Go opens a path.
func (b *Browser) Go(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.origin + path))
}

// Visit opens an address of anybody; the test has to expect that.
func (b *Browser) Visit(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// At waits until the browser is at a path, and the page is there.
func (b *Browser) At(path string) {
	b.t.Helper()
	b.Holds(fmt.Sprintf("location.pathname + location.search === %q && document.readyState === 'complete'", path))
}

// Sees waits for text on the page.
func (b *Browser) Sees(text string) {
	b.t.Helper()
	b.Holds(fmt.Sprintf("document.body !== null && document.body.innerText.includes(%q)", text))
}

// Lacks fails when text is anywhere in the page.
func (b *Browser) Lacks(text string) {
	b.t.Helper()
	Is(b, fmt.Sprintf("document.documentElement.outerHTML.includes(%q)", text), false)
}

// Holds waits until an expression is true, also while one page takes the place of
// another and none is there to ask.
func (b *Browser) Holds(expression string) {
	b.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(patience); ; <-ticker.C {
		is, err := evaluate[bool](b, expression)
		if err == nil && is {
			return
		}
		if time.Now().After(end) || b.ctx.Err() != nil {
			b.t.Fatalf("%s does not come true (%v), at\n%s", expression, err, b.text())
		}
	}
}

// Is compares what an expression gives with what it must.
func Is[T comparable](b *Browser, expression string, want T) {
	b.t.Helper()
	got, err := evaluate[T](b, expression)
	if err != nil || got != want {
		b.t.Errorf("%s is %v, want %v (%v)", expression, got, want, err)
	}
}

// Type writes into the empty field that a selector finds.
func (b *Browser) Type(selector, text string) {
	b.t.Helper()
	at := chromedp.CSS(selector)
	b.do(chromedp.WaitVisible(at), chromedp.SendKeys(at, text))
}

// Press sends keys to whatever has the focus.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// Login opens a page of the console, shows the token that it asks for, and is
// there.
func (b *Browser) Login(token, then string) {
	b.t.Helper()
	b.Go(then)
	b.Sees("Token")
	b.Type("#token", token)
	b.Press("\r")
	b.At(then)
}

// Click clicks on what a selector finds, once it can be seen.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	at := chromedp.CSS(selector)
	b.do(chromedp.WaitVisible(at), chromedp.ScrollIntoView(at), chromedp.Click(at))
}

// Choose gives a form's file field a file.
func (b *Browser) Choose(selector, file string) {
	b.t.Helper()
	b.do(chromedp.SetUploadFiles(chromedp.CSS(selector), []string{file}))
}

// Size sets the size of the window, in CSS pixels. Below 600 it is a phone.
func (b *Browser) Size(width, height int64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600})
}

// Dark sets what the reader prefers.
func (b *Browser) Dark(on bool) {
	b.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// Scripts turns scripts of pages on or off.
func (b *Browser) Scripts(on bool) {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// Shot takes a picture of the whole page, and keeps it when somebody wants to
// look.
func (b *Browser) Shot(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil || len(png) < 1000 {
		b.t.Fatalf("the picture %s: %d bytes, %v", name, len(png), err)
	}
	dir := os.Getenv(ShotsVariable)
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
