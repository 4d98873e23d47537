package host

import (
	"sync"
	"testing"
	"time"
)

// TestJobsAreDoneWhenDue: those of the minute, and none that still runs.
func TestJobsAreDoneWhenDue(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	slow, leave := make(chan struct{}, 1), make(chan struct{})
	r := start(t, setup{tenants: []string{"other"}, app: func(c fakeCall) error {
		mu.Lock()
		seen = append(seen, c.environ["REQUEST_METHOD"]+" "+c.environ["SCRIPT_NAME"]+c.environ["PATH_INFO"]+"?"+c.environ["QUERY_STRING"]+" "+c.environ["HTTP_USER_AGENT"])
		mu.Unlock()
		if c.environ["PATH_INFO"] == "/slow" {
			slow <- struct{}{}
			<-leave
		}
		return c.say(200, "")
	}})
	r.ready("other")
	r.manifest("shop", "[cron]\n\"/a?b=c\" = \"30 20 * * *\"\n\"/later\" = \"31 20 * * *\"\n\"/slow\" = \"@yearly\"\n")
	r.write("shop", "1")
	r.event(EventReady, "shop")
	c := r.host.cron
	c.minute(t.Context(), time.Date(2026, 11, 25, 20, 30, 0, 0, time.UTC))
	c.running.Wait()
	mu.Lock()
	if len(seen) != 1 || seen[0] != "GET /shop/a?b=c wasgi-cron" {
		t.Errorf("requests %q", seen)
	}
	mu.Unlock()

	ended := make(chan error)
	go func() { ended <- r.backend().RunJob(t.Context(), "shop", "/slow") }()
	<-slow
	r.problem("a job that runs", r.backend().RunJob(t.Context(), "shop", "/slow"), 409)
	c.minute(t.Context(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	jobs, err := r.backend().Jobs("shop")
	if err != nil || len(jobs) != 3 || jobs[2].What != "/slow" || !jobs[2].Running {
		t.Errorf("%+v, %v", jobs, err)
	}
	close(leave)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	c.running.Wait()
	if jobs, err = r.backend().Jobs("shop"); err != nil || jobs[2].Running || jobs[2].Error != "" || jobs[2].Last == nil {
		t.Errorf("%+v, %v", jobs, err)
	}
}
