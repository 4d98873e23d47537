package e2e

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// betweenVisits is the pause between two requests to the neighbour.
const betweenVisits = 5 * time.Millisecond

// neighbour is a tenant that is asked for its page while another attacks.
type neighbour struct {
	browser *browser
	stop    chan struct{}
	done    chan struct{}
	once    sync.Once

	mu     sync.Mutex
	times  []time.Duration
	memory int // the most that the server was seen to have, in MiB
}

// visit asks until leave. Every answer must be the page.
func visit(b *browser) *neighbour {
	n := &neighbour{browser: b, stop: make(chan struct{}), done: make(chan struct{})}
	n.ask() // the first one makes the connection and the instance
	n.times = nil
	go n.run() // ends with leave
	return n
}

// leave ends the visits. Calling it twice does nothing.
func (n *neighbour) leave() {
	n.once.Do(func() { close(n.stop) })
	<-n.done
}

func (n *neighbour) run() {
	defer close(n.done)
	tick := time.NewTicker(betweenVisits)
	defer tick.Stop()
	for {
		select {
		case <-n.stop:
			return
		case <-tick.C:
			n.ask()
		}
	}
}

func (n *neighbour) ask() {
	begun := time.Now()
	resp, err := n.browser.client.Do(n.browser.request(http.MethodGet, "/"))
	if err != nil {
		n.browser.t.Errorf("the neighbour was not reached: %v", err)
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(text) != "at home\n" {
		n.browser.t.Errorf("the neighbour answered %d %q, %v", resp.StatusCode, text, err)
	}
	took, memory := time.Since(begun), n.browser.site.server.mebibytes(n.browser.t)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.times = append(n.times, took)
	n.memory = max(n.memory, memory)
}

// mostMemory is the most memory that the server had at any visit, in MiB.
func (n *neighbour) mostMemory() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.memory
}

// visits is how often the neighbour has answered.
func (n *neighbour) visits() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.times)
}

// until waits for so many visits.
func (n *neighbour) until(visits int) {
	for n.visits() < visits {
		time.Sleep(betweenVisits)
	}
}

// forget drops what was measured.
func (n *neighbour) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.times = nil
}

// percentile is how long so many of a hundred visits took at most.
func (n *neighbour) percentile(p int) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(n.times))
	return sorted[(len(sorted)-1)*p/100].Round(10 * time.Microsecond)
}
