package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// bucketServer keeps buckets as S3 does, and checks every signature.
func bucketServer(t *testing.T, a authority) (plain, secure string) {
	t.Helper()
	handler := gofakes3.New(s3mem.New(), gofakes3.WithV4Auth(map[string]string{"wasgi": "secret"})).Server()
	open := httptest.NewServer(handler)
	t.Cleanup(open.Close)
	return open.URL, localhost(a.server(t, handler))
}

// TestBoto3: objects, transfers in parts, presigned addresses and errors, over
// HTTP and HTTPS, against a server of S3's that is not ours.
func TestBoto3(t *testing.T) {
	t.Parallel()
	w, a, stranger := newWorld(t), newAuthority(t), newAuthority(t)
	plain, secure := bucketServer(t, a)
	s := w.reaching(t, "bucket", map[string]string{"HTTP": plain, "HTTPS": secure,
		"STRANGER": localhost(stranger.server(t, http.NotFoundHandler())), "authority": a.authority}, "")
	inEach(t, s, func(t *testing.T, b *browser) {
		for _, over := range []string{"http", "https"} {
			at := func(page string) string {
				return "/" + page + "?over=" + over + "&bucket=" + b.site.tenant + "-" + over + "-" + page
			}
			t.Run(over, func(t *testing.T) { useBucket(t, b.in(t), at) })
		}
	})
}

func useBucket(t *testing.T, b *browser, at func(page string) string) {
	b.post(at("objects")).status(200).json(`{"get": ["with a name", "text/x", {"who": "ada"}, 11], "range": "1", "lines": ["note 2 ✓"], "head": 11,
		"pages": [["notes/0.txt", "notes/1.txt"], ["notes/2.txt", "notes/3.txt"], ["notes/4.txt"]], "folders": ["Zürich/", "notes/"],
		"copy": "note 3 ✓\n", "deleted": ["notes/0.txt", "notes/1.txt", "notes/2.txt", "notes/3.txt"], "left": ["Zürich/a b+c.txt", "notes/4.txt"]}`)
	b.post(at("errors")).status(200).json(`{"missing": ["NoSuchKey", 404], "head": ["404", 404], "bucket": ["NoSuchBucket", 404], "secret": ["SignatureDoesNotMatch", 403],
		"class": "An error occurred (NoSuchKey) when calling the GetObject operation: Unknown",
		"refused": ["EndpointConnectionError", true], "stranger": ["SSLError", true]}`)
	b.post(at("transfer")).status(200).json(`{"stream": [12582919, 3, 12582919], "type": "text/x", "file": true, "back": true, "copied": 12582919,
		"missing": ["404", 404], "temporary": []}`)
	b.post(at("multipart")).status(200).json(`{"listed": [1, 2], "end": "xxthe end", "aborted": ["NoSuchUpload", 404]}`)
	var urls struct{ Put, Get string }
	if err := json.Unmarshal([]byte(b.post(at("presigned")).status(200).body), &urls); err != nil {
		t.Fatal(err)
	}
	_, bucket, _ := strings.Cut(at("presigned"), "bucket=")
	if strings.HasPrefix(urls.Put, "https") {
		return // whom the test does not believe; nothing else differs
	}
	exchange(t, http.MethodPut, urls.Put+"x", "forged", 403)
	exchange(t, http.MethodGet, urls.Get, "", 404)
	exchange(t, http.MethodPut, urls.Put, "from outside", 200)
	if got := exchange(t, http.MethodGet, urls.Get, "", 200); got != "from outside" {
		t.Errorf("%q was put and %q is got", "from outside", got)
	}
	b.get("/shared?bucket=" + bucket).status(200).text("from outside")
}

// exchange is a request of somebody who has an address and nothing else.
func exchange(t *testing.T, method, url, text string, status int) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		t.Errorf("%s %s: status %d, want %d; %v, %s", method, url, resp.StatusCode, status, err, body)
	}
	return string(body)
}
