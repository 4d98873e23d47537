package main

import (
	"context"
	"slices"
	"time"
)

// A suite is a set of tests that others wrote.
type suite struct {
	name string
	// sdist is the pin of the suite's source, debian the source package that is
	// taken when there is no such pin; CPython's own has neither.
	sdist, debian string
	// sdists and wheels are pins of what it needs besides.
	sdists, wheels []string
	// server is what its tests connect to, nil for nothing. Units then run one at
	// a time.
	server *server
	// units cuts the prepared suite into processes.
	units func(ctx context.Context, w *world, from sources) ([]unit, error)
}

// sources are the folders that prepare has filled, on this machine.
type sources struct {
	version string            // of the suite
	tree    string            // the suite's own source
	site    string            // all wheels, as pip would have installed them
	others  map[string]string // sdists by name
}

// A unit is one process: a test module, or a group of tests.
type unit struct {
	name    string
	dir     string   // current folder, the guest's /work, read-only
	own     string   // folder in dir that tests change: they get a copy, "" for none
	mounts  []mount  // read-only
	path    []string // PYTHONPATH, in the guest
	env     []string
	args    []string // python's command line, in the guest
	allow   []string // whom it may connect to
	timeout time.Duration
	quiet   time.Duration // deadline of each test, 0 for none but timeout
	tests   bool          // in the guest that has modules for tests
}

// A mount shows a folder of this machine to the guest.
type mount struct{ host, guest string }

// suites are all there are, the quick ones first.
func suites() []suite {
	return []suite{itsdangerous(), wsgiref(), sockets(), bottle(), jinja2(), click(), pymysql(), pg8000(), redis(), webob(), flask(), werkzeug(), django(), cpython()}
}

func find(all []suite, name string) (suite, bool) {
	i := slices.IndexFunc(all, func(s suite) bool { return s.name == name })
	if i < 0 {
		return suite{}, false
	}
	return all[i], true
}

func suiteNames(all []suite) []string {
	var out []string
	for _, s := range all {
		out = append(out, s.name)
	}
	return out
}
