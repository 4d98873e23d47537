package wasi

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

func treeOf(guests ...string) *Sandbox {
	s := &Sandbox{}
	for _, g := range guests {
		s.mounts = append(s.mounts, &mount{guest: g})
	}
	return s
}

// TestRise leaves a mount through "..".
func TestRise(t *testing.T) {
	whole, parts := treeOf("/", "/app", "/data", "/data/deep"), treeOf("/app", "/data")
	for _, c := range []struct {
		s          *Sandbox
		from       int
		path, want string
	}{
		{whole, 1, "../data/x", "/data x false 0"},
		{whole, 1, "..", "/ . true 0"},
		{whole, 1, "../..", "/ . true 0"},
		{whole, 1, "../app", "/app . true 0"},
		{whole, 1, "../application", "/ application false 0"},
		{whole, 1, "a/../../data/", "/data . true 0"},
		{whole, 1, "../etc/passwd", "/ etc/passwd false 0"},
		{whole, 1, "../data/deep/x", "/data/deep x false 0"},
		{whole, 1, "../data/deeper", "/data deeper false 0"},
		{whole, 3, "../x/.", "/data x true 0"},
		{whole, 0, "../../etc", "/ etc false 0"},
		{parts, 0, "..", "EPERM"},
		{parts, 0, "../data/x", "/data x false 0"},
		{parts, 0, "../secret", "EPERM"},
		{parts, 0, "/data", "EPERM"},
	} {
		m, name, dir, errno := c.s.rise(c.s.mounts[c.from], c.path)
		got := "EPERM"
		if errno != sys.EPERM {
			got = fmt.Sprint(m.guest, " ", name, " ", dir, " ", uint32(errno))
		}
		wantEqual(t, c.path, got, c.want)
	}
}

// FuzzRise holds rise against the standard library's idea of a path, and its result against parsePath.
func FuzzRise(f *testing.F) {
	f.Add("../data/x")
	f.Add("a/../../data//deep/../..")
	s := treeOf("/", "/app", "/data/deep")
	f.Fuzz(func(t *testing.T, text string) {
		if checkText(text) != 0 {
			return
		}
		m, name, _, errno := s.rise(s.mounts[1], text)
		if errno != 0 {
			wantErrno(t, text, errno, sys.ENAMETOOLONG)
			return
		}
		again, _, errno := parsePath(name)
		wantErrno(t, name, errno, 0)
		wantEqual(t, "parsed again", again, strings.TrimSuffix(name, "/"))
		wantEqual(t, "place", path.Join(m.guest, name), path.Join("/app", text))
	})
}
