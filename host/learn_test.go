package host

import (
	"slices"
	"strings"
	"testing"
)

func TestMissing(t *testing.T) {
	var m missing
	for _, name := range []string{"b.py", "a.py", "b.py", strings.Repeat("x", mostMissing)} {
		m.add(name)
	}
	if names, bytes := m.end(); !slices.Equal(names, []string{"a.py", "b.py"}) || bytes != 8 {
		t.Errorf("%q, %d bytes", names, bytes)
	}
	m.add("late.py")
	if names, _ := m.end(); names != nil {
		t.Errorf("%q after the end", names)
	}
}

// TestLessons: the first one comes first, one of a tenant takes the place of its older one, and what is too much is left out.
func TestLessons(t *testing.T) {
	l := newLessons()
	for _, one := range []lesson{{tenant: "x", dir: "old", bytes: mostWaiting}, {tenant: "x", dir: "a", bytes: mostWaiting - 1},
		{tenant: "y", dir: "b", bytes: 2}, {tenant: "z", dir: "c", bytes: 1}} {
		l.add(one)
	}
	var got []string
	for one, ok := l.next(); ok; one, ok = l.next() {
		got = append(got, one.dir)
	}
	if !slices.Equal(got, []string{"a", "c"}) || l.bytes != 0 || len(l.news) != 1 {
		t.Errorf("%q, %d bytes left, %d news", got, l.bytes, len(l.news))
	}
}
