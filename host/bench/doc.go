// Command bench measures wasgi beside the servers that people would pick
// instead, on this machine, in one run, with the same applications.
//
//	go run ./host/bench [--only flask,cold] [--rounds 5] [--seconds 3] [--connections 1,16,64,256]
//	                    [--python FILE] [--tenants 1000] [--idle-tenants 10000] [--report] [--list]
//
// # The way of a run
//
//  1. parse reads the options (options.go); prepare installs what is missing:
//     wrk with apt-get, the peers of peers.txt into an environment of their own
//     in the cache folder (venv.go).
//  2. run walks the parts (parts.go) in order. A part makes a section: raw
//     figures, one value for each round, and what failed.
//  3. After each part its section is put into bench.json (store.go) in place of
//     an older one of the same part. An interrupted run loses the part it was at
//     and nothing else, so that parts can be measured one by one.
//  4. RESULTS.md is written from bench.json alone (report.go, tables.go,
//     goals.go); --report does only that.
//
// # What makes a figure fair
//
// Every server gets as many workers, or slots, as the machine has cores. The
// servers of one application run side by side, idle while another one is
// measured. Rounds interleave them, each round beginning with another one, so
// that a slow minute of the machine hits all of them, and the median of the
// rounds counts. Before each load the answer is verified, status and body.
//
// wrk makes the load and shares the machine's cores with the server. So the
// tables show which part of the machine wrk itself took, and the processor time
// that the server spent on a request, which does not depend on who else wanted
// the processor.
//
// wrk is a closed loop and only counts answers: what it never gets, it does not
// see. A server that serves some connections and leaves the others waiting
// (uWSGI with keep-alive holds one connection for each process) looks fast for
// that. So a newcomer asks beside each load, on a new connection each time, ten
// times a second, and its median wait stands in the table (newcomer.go).
//
// # Files
//
//	main.go options.go parts.go        what is run?
//	store.go machine.go                what is kept, and on which machine was it?
//	progress.go                        what does a person see meanwhile?
//	venv.go apps.go verify.go          what is served, and which answer is right?
//	peers.go fleet.go process.go       which servers, and how do they start and end?
//	wrk.go newcomer.go cputime.go      how is a load measured?
//	load.go cgi.go cores.go            the parts with a load
//	database.go postgres.go            the part with a database, and its server
//	cold.go deploy.go many.go          the life of tenants
//	inprocess.go instances.go meter.go guests without HTTP
//	python.go                          the interpreter alone
//	report.go tables.go goals.go stats.go
package main
