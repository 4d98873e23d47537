package main

import (
	"testing"
	"time"
)

const wrkOutput = `Running 4s test @ http://127.0.0.1:8000/
  2 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms    1.50ms  20.12ms   90.00%
    Req/Sec    10.00k     1.00k   12.00k    60.00%
  Latency Distribution
     50%  612.00us
     75%    1.10ms
     90%    2.50ms
     99%    8.60ms
  80000 requests in 4.00s, 10.00MB read
  Socket errors: connect 1, read 2, write 0, timeout 3
  Non-2xx or 3xx responses: 4
Requests/sec:  20000.50
Transfer/sec:      2.50MB
`

func TestParseWrk(t *testing.T) {
	got, err := parseWrk(wrkOutput)
	if err != nil {
		t.Fatal(err)
	}
	want := load{requests: 80000, perSecond: 20000.50, p50: 612 * time.Microsecond, p99: 8600 * time.Microsecond, errors: 10}
	if got != want {
		t.Errorf("parseWrk = %+v, want %+v", got, want)
	}
}

func TestParseWrkRefusesOtherText(t *testing.T) {
	for _, text := range []string{"", "unable to connect to 127.0.0.1:1", "Requests/sec: 5\n", "5 requests in 1s\nRequests/sec: 5\n  50%  1.00ms\n"} {
		if got, err := parseWrk(text); err == nil {
			t.Errorf("parseWrk(%q) = %+v", text, got)
		}
	}
}
