package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// The sizes of bodies, in bytes.
const (
	uploadSize   = 1 << 20
	downloadSize = 10 << 20
)

const helloText = "Hello, world!\n"

// app is an application, the request that is made to it, and its right answer.
type app struct {
	name, title string
	path        string // below the application's address
	upload      int    // bytes to POST, 0 for a GET
	data        string // file that wasgi has in /data and BENCH_DB names, "" for none
	status      int    // of the right answer, 0 for 200
	check       func(body []byte) error
}

func helloApp(name, title string) app {
	return app{name: name, title: title, check: isText(helloText)}
}

// loadApps are those that have a part of their own, named like their folder.
func loadApps() []app {
	return []app{
		helloApp("bare", "Bare WSGI"),
		helloApp("bottle", "Bottle, hello"),
		helloApp("flask", "Flask, hello"),
		helloApp("django", "Django, hello"),
		{name: "page", title: "Django, a page of 50 rows with ORM (SQLite) and template", data: "page.sqlite3", check: isPage},
		{name: "json", title: "JSON API (Flask, 20 items)", path: "items?first=40&limit=20", check: isJSON},
		{name: "upload", title: "Upload of 1 MiB (bare)", upload: uploadSize, check: isText(fmt.Sprintf("%d bytes\n", uploadSize))},
		{name: "stream", title: "Download of 10 MiB from a generator, 64 KiB pieces (bare)", check: isPayload},
		{name: "file", title: "Download of 10 MiB through wsgi.file_wrapper (bare)", check: isPayload},
	}
}

func isText(want string) func([]byte) error {
	return func(body []byte) error {
		if string(body) != want {
			return fmt.Errorf("the body is %.80q, want %q", body, want)
		}
		return nil
	}
}

func isPage(body []byte) error {
	rows := strings.Count(string(body), "<tr class=")
	if rows != 50 || !strings.Contains(string(body), "<td>Book 050 &amp; more</td><td>Author 10</td><td>1950</td>") {
		return fmt.Errorf("the page has %d rows or lacks the first book: %.200q", rows, body)
	}
	return nil
}

func isJSON(body []byte) error {
	var answer struct {
		Items []struct{ ID int }
		Total int
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if answer.Total != 500 || len(answer.Items) != 20 || answer.Items[0].ID != 40 {
		return fmt.Errorf("total %d, %d items: %.200q", answer.Total, len(answer.Items), body)
	}
	return nil
}

// payload is what the two downloads send.
func payload() []byte { return bytes.Repeat([]byte("0123456789abcdef"), downloadSize/16) }

func isPayload(body []byte) error {
	if !bytes.Equal(body, payload()) {
		return fmt.Errorf("the body of %d bytes is not the payload of %d", len(body), downloadSize)
	}
	return nil
}

// request is the one that is measured, for an application at url.
func (a app) request(ctx context.Context, url string) (*http.Request, error) {
	if a.upload == 0 {
		return http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(strings.Repeat("x", a.upload)))
	if err == nil {
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	return r, err
}

// appDir is the copy that is served: some applications get files that are made.
func (b *bench) appDir(name string) string { return filepath.Join(b.opt.work, "apps", name) }

// makeApps copies the applications and adds what is not in the repository.
func (b *bench) makeApps(ctx context.Context) error {
	dir := filepath.Join(b.opt.work, "apps")
	if err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(filepath.Join(benchDir(), "apps")))); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.appDir("file"), "payload.bin"), payload(), 0o644); err != nil {
		return err
	}
	return b.toolIn(ctx, b.appDir("page"), b.venvPython(), "-B", "make_db.py")
}

// bundle copies an application together with its packages, as a deploy that
// needs no index would have it. The folder must not exist.
func (b *bench) bundle(ctx context.Context, name, dir string) error {
	if err := os.CopyFS(dir, os.DirFS(b.appDir(name))); err != nil {
		return err
	}
	list := filepath.Join(dir, "requirements.txt")
	toml := "[warmup]\npaths = [\"/\"]\n"
	if _, err := os.Stat(list); err == nil {
		packages, err := b.packages(ctx, name, list)
		if err != nil {
			return err
		}
		if err := errors.Join(os.Remove(list), os.CopyFS(filepath.Join(dir, "packages"), os.DirFS(packages))); err != nil {
			return err
		}
		toml = "python_path = [\"packages\"]\n" + toml
	}
	return os.WriteFile(filepath.Join(dir, "wasgi.toml"), []byte(toml), 0o644)
}

// packages installs an application's requirements into a folder, once, without
// the compiled modules that some of them bring besides Python.
func (b *bench) packages(ctx context.Context, name, list string) (string, error) {
	dir := filepath.Join(b.opt.work, "packages", name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	temp := dir + ".new"
	if err := os.RemoveAll(temp); err != nil {
		return "", err
	}
	err := b.tool(ctx, b.venvPython(), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--no-compile",
		"--only-binary", ":all:", "--target", temp, "-r", list)
	if err != nil {
		return "", err
	}
	compiled, err := filepath.Glob(filepath.Join(temp, "*", "*.so"))
	if err != nil {
		return "", err
	}
	for _, path := range compiled {
		if err := os.Remove(path); err != nil {
			return "", err
		}
	}
	return dir, os.Rename(temp, dir)
}
