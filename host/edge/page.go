package edge

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"

	"github.com/wasgi/wasgi/abi"
)

// Page is an answer of the host itself. It says what happened and how to name
// the request to the operator, and nothing about the host or the application;
// Traceback is for development alone.
type Page struct {
	Status     int
	Text       string // one sentence
	RequestID  string
	RetryAfter int    // seconds, 0 for no such header
	Traceback  string // "" outside development
	Close      bool   // the connection is not to be used again
}

func (p Page) head(accept string) abi.ResponseHead {
	kind := "text/plain; charset=utf-8"
	if wantsHTML(accept) {
		kind = "text/html; charset=utf-8"
	}
	headers := []abi.Pair{
		{Key: "Content-Type", Value: kind},
		{Key: "Cache-Control", Value: "no-store"},
		{Key: "X-Content-Type-Options", Value: "nosniff"},
	}
	if p.RequestID != "" {
		headers = append(headers, abi.Pair{Key: "X-Request-Id", Value: p.RequestID})
	}
	if p.RetryAfter > 0 {
		headers = append(headers, abi.Pair{Key: "Retry-After", Value: strconv.Itoa(p.RetryAfter)})
	}
	return abi.ResponseHead{Status: p.Status, Headers: headers}
}

func (p Page) body(accept string) []byte {
	title := strconv.Itoa(p.Status) + " " + http.StatusText(p.Status)
	if wantsHTML(accept) {
		return p.html(title)
	}
	text := title + "\n" + p.Text + "\n"
	if p.RequestID != "" {
		text += "Request: " + p.RequestID + "\n"
	}
	if p.Traceback != "" {
		text += "\n" + p.Traceback
	}
	return []byte(text)
}

const pageHTML = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>%[1]s</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:60rem;padding:0 1rem}
pre{background:#f4f4f4;padding:1rem;overflow:auto;font-size:14px}small{color:#666}</style></head>
<body><h1>%[1]s</h1><p>%[2]s</p>%[3]s%[4]s</body></html>
`

func (p Page) html(title string) []byte {
	var trace, id string
	if p.Traceback != "" {
		trace = "<pre>" + html.EscapeString(p.Traceback) + "</pre>"
	}
	if p.RequestID != "" {
		id = "<p><small>Request " + html.EscapeString(p.RequestID) + "</small></p>"
	}
	return fmt.Appendf(nil, pageHTML, html.EscapeString(title), html.EscapeString(p.Text), trace, id)
}

// wantsHTML is no content negotiation: browsers name text/html, tools do not.
func wantsHTML(accept string) bool { return strings.Contains(accept, "text/html") }
