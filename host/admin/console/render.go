package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed assets templates
var embedded embed.FS

// assets are the files that pages load. Their names carry a digest, so that
// browsers keep them for good.
type assets struct {
	names map[string]string // from plain to digested
	files map[string][]byte // by digested name
}

func newAssets() (*assets, error) {
	a := &assets{names: map[string]string{}, files: map[string][]byte{}}
	entries, err := embedded.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		text, err := embedded.ReadFile("assets/" + e.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		stem, ext := strings.TrimSuffix(e.Name(), path.Ext(e.Name())), path.Ext(e.Name())
		name := stem + "-" + hex.EncodeToString(sum[:6]) + ext
		a.names[e.Name()], a.files[name] = name, text
	}
	return a, nil
}

// address is where a file is loaded from.
func (a *assets) address(name string) (string, error) {
	digested, found := a.names[name]
	if !found {
		return "", fmt.Errorf("there is no file %q among the assets", name)
	}
	return Base + "assets/" + digested, nil
}

// ServeHTTP answers with a file.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, found := a.files[r.PathValue("file")]
	if !found {
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	w.Header().Set("Content-Type", kinds[path.Ext(r.PathValue("file"))])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(text) // an error is the reader's connection
}

// pages are templates by name, each with the layout.
type pages struct{ byName map[string]*template.Template }

func newPages(a *assets) (*pages, error) {
	p := &pages{byName: map[string]*template.Template{}}
	funcs := template.FuncMap{"asset": a.address, "visible": visible, "digest": digest, "count": count, "size": func(n uint64) string { return size(float64(n)) }}
	shared, err := template.New("").Funcs(funcs).ParseFS(embedded, "templates/shared/*.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(embedded, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		t, err := shared.Clone()
		if err == nil {
			t, err = t.ParseFS(embedded, name)
		}
		if err != nil {
			return nil, err
		}
		p.byName[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return p, nil
}

// frame is what the layout shows around a page.
type frame struct {
	Title  string
	Tenant string // the page's, "" for none
	Who    string // "" when nobody has logged in
	Scope  string
	Tokens bool   // whether the caller may manage tokens
	Form   string // secret of the session's forms
	Host   string // version and state
	Script bool
	Page   any
}

// render sends a page once it is whole.
func (c *Console) render(w http.ResponseWriter, status int, name string, f frame, data any) {
	f.Page = data
	var b bytes.Buffer
	if err := c.part(&b, name, "layout", f); err != nil {
		c.Log.Error("a page of the console could not be made", "page", name, "error", err)
		http.Error(w, "The host failed; its log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // an error is the reader's connection
}

// part writes a template of a page.
func (c *Console) part(w io.Writer, name, part string, data any) error {
	return c.pages.byName[name].ExecuteTemplate(w, part, data)
}

// frame is the layout of a visit.
func (v *visit) frame(title string) frame {
	info := v.console.Host.Info()
	return frame{Title: title, Tenant: v.tenant, Who: v.caller.Name, Scope: v.caller.Scope(), Tokens: v.caller.ChangesHost(), Form: v.session.form, Host: info.Version + ", " + info.State, Script: true}
}

func (v *visit) render(status int, name, title string, data any) {
	v.console.render(v.w, status, name, v.frame(title), data)
}
