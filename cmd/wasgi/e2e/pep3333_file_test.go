package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// content is what the application's file of a size holds.
func fileContent(size int) string {
	return strings.Repeat("0123456789abcdef", size/16+1)[:size]
}

// fileWrapper: the bytes are the same whoever reads the file, the host or Python.
func fileWrapper(p pep) {
	const large = 3<<20 + 5
	kinds := []string{"plain", "raw", "memory", "nameless", "temporary", "tmp"}
	if p.site.scheme() == "https" { // TLS is beneath all that tells the others apart
		kinds = []string{"plain", "memory"}
	}
	for _, size := range []int{0, 10, 64 << 10, 64<<10 + 1, large} {
		for _, as := range kinds {
			if size == 64<<10 && as != "plain" || size == large && (as == "memory" || as == "nameless") {
				continue
			}
			id := p.gate(as + "-" + strconv.Itoa(size))
			path := "/file?as=" + as + "&size=" + strconv.Itoa(size) + "&id=" + id
			whole, from := fileContent(size), p.mark()
			p.get(path).code(200).text(whole)
			if as != "nameless" {
				p.once("closed "+id, from)
			}
			if size < 10 {
				continue
			}
			p.get(path + "&skip=7").code(200).text(whole[7:])
			p.get(path+"&skip=2&length=5").code(200).header("Content-Length", "5").text(whole[2:7])
			p.get(path + "&length=" + strconv.Itoa(size+1)).breakOrFail(whole)
			p.get(path + "&write=ab").code(200).header("Content-Length").text("ab" + whole)
			p.get(path + "&middleware=1").code(200).text(strings.ToUpper(whole))
			p.ask(query{method: "HEAD", path: path + "&length=9"}).code(200).header("Content-Length", "9").text("")
			p.ask(query{method: "HEAD", path: path}).code(200).text("")
		}
	}
	const whole = "10485760"
	p.get("/file?as=plain&size="+whole+"&id=0").code(200).header("Content-Length", whole).header("Transfer-Encoding").text(fileContent(10 << 20))
	p.ask(query{method: "HEAD", path: "/file?as=plain&size=" + whole + "&id=0"}).code(200).header("Content-Length", whole).text("")
	p.get("/file?as=plain&size=100000&id=0").code(200).header("Content-Length", "100000").header("Transfer-Encoding").text(fileContent(100000))
	p.ask(query{method: "HEAD", path: "/file?as=plain&size=100000&id=0"}).code(200).header("Content-Length", "100000").text("")
}

// breakOrFail is the end of a body that is shorter than announced: 500 when that
// was known in time.
func (r *reply) breakOrFail(sent string) {
	r.t.Helper()
	if r.status == 500 {
		return
	}
	r.breaks(sent)
}

// TestSlowDownload has clients that take nothing of a large file, on a host with
// one slot: others are served meanwhile. In this process the one interpreter is
// free, too; a worker's sends the file itself and keeps its interpreter.
func TestSlowDownload(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	folder := w.app(t, root, "pep3333")
	instances := "1"
	if os.Getenv(levelVariable) == "process" {
		instances = "4"
	}
	write(t, folder, "wasgi.toml", read(t, filepath.Join(folder, "wasgi.toml"))+"[instances]\nmax = "+instances+"\n")
	p := pep{t, w.serve(t, launch{root: root, flags: []string{"--slots", "1"}}, "pep3333").site(t, "pep3333"), http11{}}
	const size = 64 << 20 // more than two sockets hold
	var slow []*reply
	for range 3 {
		slow = append(slow, p.get("/file?as=plain&id=slow&size="+strconv.Itoa(size)).code(200).header("Content-Length", strconv.Itoa(size)))
	}
	p.get("/length?list").code(200).text("one")
	left, from := p.proto.dial(t, p.site), p.mark()
	left.begin(query{path: "/file?as=plain&id=left&size=" + strconv.Itoa(size)}).code(200)
	left.leave()
	p.once("closed left", from)
	for _, r := range slow {
		r.text(fileContent(size))
	}
}
