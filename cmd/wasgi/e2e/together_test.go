package e2e

import "testing"

// TestTogether: Flask's asynchronous views, asyncio with sockets and sleep, and
// thread pools, all in the thread that there is.
func TestTogether(t *testing.T) {
	t.Parallel()
	s := newWorld(t).reaching(t, "together", map[string]string{"ECHO": echoServer(t)}, "")
	inEach(t, s, func(t *testing.T, b *browser) {
		b.post("/view", "a", "posted").status(200).header("X-After", "after").json(`{"before": "before", "form": "posted", "echo": "view", "sync": "sync"}`)
		b.get("/lookup").status(404).header("X-After", "after").text("LookupError: nowhere\n")
		b.get("/gather").status(200).json(`{"results": ["slow", "quick", "first"], "order": [["first", "first"], ["quick", "quick"], ["slow", "slow"]],
			"errors": ["TimeoutError"], "waited": ["a", "b"], "timeout": true, "group": ["t0", "t1", "t2"], "thread": "thread", "executor": "executor", "queue": [0, 1, 2]}`)
		b.get("/both").status(200).text("inner\n")
		b.get("/pool").status(200).json(`{"map": ["a", "b", "c"], "completed": [[0, 0], [1, 1], [2, 4], [3, 9]],
			"exception": [true, false, false, "invalid literal for int() with base 10: 'x'"], "map failed": "invalid literal for int() with base 10: 'x'",
			"wait": [2, 0], "first": [1, 0], "timeout": [1, 1], "result": "TimeoutError", "as_completed": "1 (of 1) futures unfinished", "callback": ["7"],
			"nested": "8", "shutdown": "cannot schedule new futures after shutdown", "initializer": ["began"]}`)
		b.get("/start").status(200).json(`{"thread": "can't start new thread", "timer": "can't start new thread", "raw": "can't start new thread", "alive": [false, 1, true]}`)
	})
}

// TestDjangoTogether: asynchronous views, middleware and ORM under WSGI.
func TestDjangoTogether(t *testing.T) {
	t.Parallel()
	s := newWorld(t).reaching(t, "together-django", map[string]string{"ECHO": echoServer(t)}, "")
	inEach(t, s, func(t *testing.T, b *browser) {
		b.post("/view/", "a", "posted").status(200).header("X-Stamp", "sync").json(`{"texts": ["one", "two", "slept"], "posted": "posted"}`)
		for range 2 {
			b.get("/database/").status(200).json(`{"added": ["a", "b"], "failed": "fails", "iterated": ["b", "a"], "counted": 2, "got": "a", "unsafe": "SynchronousOnlyOperation"}`)
		}
		b.get("/both/").status(200).text("back and there")
		b.get("/class/").status(200).text("of a class")
		b.get("/streamed/").status(200).text("part 0\npart 1\npart 2\n")
		b.get("/fails/").status(500)
	})
}
