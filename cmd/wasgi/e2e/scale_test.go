package e2e

import (
	"testing"
	"time"
)

// use is a line of `wasgi ps --json`.
type use struct {
	Idle, Busy, Creating int
	Created, Memory      uint64
}

func (o *operator) use() use {
	o.Helper()
	var all []use
	decode(o.T, o.wasgi("ps", "--json").exited(0).stdout, &all)
	if len(all) != 1 {
		o.Fatalf("%d tenants", len(all))
	}
	return all[0]
}

// until asks until the answer is as it should become.
func (o *operator) until(what string, is func(use) bool) use {
	o.Helper()
	for give := time.Now().Add(patience); time.Now().Before(give); {
		if u := o.use(); is(u) {
			return u
		}
	}
	o.Fatalf("it never came that %s: %+v", what, o.use())
	return use{}
}

const growing = `kept = []
def application(environ, start_response):
    if environ["PATH_INFO"] == "/big":
        kept.append(bytearray(100 << 20)); kept.clear()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
`

// TestScaleToZero: a tenant that nobody asks for has no instance and no memory of
// its own; the next request finds it all the same.
func TestScaleToZero(t *testing.T) {
	t.Parallel()
	o := operated(t)
	o.wasgi("deploy", o.app("", "wsgi.py", growing, "wasgi.toml", "[instances]\nidle = \"200ms\"\n")).exited(0)
	asleep := func(u use) bool { return u.Idle+u.Busy+u.Creating == 0 }
	if u := o.until("it sleeps", asleep); u.Created != 0 {
		t.Errorf("instances were made for nobody: %+v", u)
	}
	for n := range 3 {
		o.browser("shop").get("/").status(200).text("ok")
		if u := o.until("it sleeps again", asleep); u.Created != uint64(n+1) {
			t.Errorf("after %d requests: %+v", n+1, u)
		}
	}
}

// TestMinimumOfInstances: they are there before anybody asks.
func TestMinimumOfInstances(t *testing.T) {
	t.Parallel()
	o := operated(t)
	o.wasgi("deploy", o.app("", "wsgi.py", growing, "wasgi.toml", "[instances]\nmin = 2\nidle = \"100ms\"\n")).exited(0)
	o.browser("shop").get("/").status(200)
	o.until("two are there", func(u use) bool { return u.Idle == 2 })
}

// TestInstancesThatGrowAreReplaced: max_memory.
func TestInstancesThatGrowAreReplaced(t *testing.T) {
	t.Parallel()
	o := operated(t)
	o.wasgi("deploy", o.app("", "wsgi.py", growing, "wasgi.toml", "[instances]\nmax = 1\nmax_memory = \"96MiB\"\n")).exited(0)
	b := o.browser("shop")
	for range 3 {
		b.get("/").status(200)
	}
	if u := o.use(); u.Created != 1 {
		t.Errorf("small requests: %+v", u)
	}
	for n := range 3 {
		b.get("/big").status(200)
		b.get("/").status(200)
		if u := o.use(); u.Created != uint64(n+2) {
			t.Errorf("after %d large requests: %+v", n+1, u)
		}
	}
}
