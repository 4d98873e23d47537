// Package worker is the second wall: it runs the guests of a tenant in a
// process of their own, which the kernel keeps from everything but the tenant's
// folders. Whoever finds a way out of WebAssembly in there finds a process that
// can make no connection, start no program, see no other tenant, and end nobody but
// itself.
//
// A worker is the same binary, started again as `wasgi worker`. There is one for
// each release of a tenant, and all instances of the release live in it.
//
//	          host                                  worker
//	┌────────────────────────┐            ┌────────────────────────┐
//	│ Image                  │  control   │ child                  │
//	│   process ─────────────┼────────────┤   sandbox.Engine       │
//	│                        │            │   sandbox.Image        │
//	│ Instance               │  one for   │                        │
//	│   session ─────────────┼────────────┤ attendant              │
//	│ Instance               │  each      │   sandbox.Instance     │
//	│   session ─────────────┼────────────┤ attendant              │
//	└────────────────────────┘            └────────────────────────┘
//
// # The life of a worker
//
//	host                          worker
//	 │ Build (the job) ────────────► opens the compiled guest, the folders and
//	 │                               /proc/self/pagemap; then closes the jail
//	 │ ◄──────────────────── Jailed  what the kernel granted: for the log
//	 │ ◄────────────────────── Line  what the guest says outside of requests
//	 │ ◄──────────── Built | Failed  boot, import, warm-up, snapshot
//	 │ open, with a socket ────────► restores an instance on it
//	 │ cancel, with a number ──────► ends what that instance does
//	 │ (closes) ───────────────────► ends
//
// # A program
//
// `wasgi run` and jobs that are scripts get a worker of their own (Run), with the
// jail of the others, which ends with the program. Its standard streams are pipes
// to the host; after Jailed comes Failed, with the exit status. The end of the
// control socket asks the program to end.
//
// # A request
//
// On an instance's own socket the host speaks first, and then only when it is
// asked: nothing in the worker has to listen while the guest runs.
//
//	│ ◄──────────── Ready | Failed  restored
//	│ Serve (deadline, environ) ──►
//	│ ◄────────────────────── Read  Data ─►  a piece of the body
//	│ ◄───────────────────── Write  Ack ──►  a piece of the response
//	│ ◄─────────────────────── Ask  Ack ──►  is the client still there?
//	│ ◄───────────────────── Hints  Ack ──►  early hints
//	│ ◄──────────── Pause … Resume  Ack ──►  it slept; a CPU slot is free
//	│ ◄─────────────────────── Log, Print
//	│ ◄─────────────────────── End  how it went; a small response goes with it
//	│ ◄──────────── Ready | Failed  put back, in fresh mode
//
// # Connections
//
// A worker cannot make any. Its guests' sockets ask the host, over a socket of
// its own with packets of package wire (NetworkRequest, NetworkReply): the
// host's package egress decides, resolves and connects, and passes the descriptor on.
// From there on bytes move without the host, which only hears of the end.
//
//	│ ◄─────────── resolve, a name  the addresses ─►
//	│ ◄─────────── dial, an address  the socket ──►
//	│ ◄──────────────────── closed
//	│ ◄──────────────────── moved, a number of bytes each way: for the metrics
//
// # What is trusted
//
// The worker trusts the host. The host trusts the worker until Jailed, because
// only our own code has run in it, and nothing after that: it bounds every
// frame, decodes with package wire and abi.DecodeResponseHead, keeps the order
// of calls that a sandbox.Responder is promised, names the tenant itself, cuts
// logs to the tenant's budget, and kills a worker that breaks the protocol or
// is silent for longer than the request's deadline, its grace and a margin.
// What a worker says about its CPU time and memory goes to logs only; what is
// booked in the budgets of the tenant and of the host is the kernel's count.
//
// # When a worker ends
//
// Its requests get 502, and nobody else's. The next request starts another
// worker from the stored snapshot, at once for the first time and after growing
// pauses when workers end soon after another (503 with Retry-After meanwhile).
// The locks of its guests on files of /data are the kernel's, and end with it.
//
// A worker that no instance needs for as long as an idle instance is kept ends
// as well, if its image is stored; the next request starts another.
//
// # What it must never do
//
// Let a byte of a worker choose a tenant, a path or an allocation; write to a
// descriptor that a worker chose; leave a process behind; run a tenant's code
// before the jail is closed.
//
// # What it does not bound
//
// Quotas are counted in each worker: while a release retires, two workers may
// together write more than one quota, and a worker that was taken over can fill
// the disk through its own folders. Between its requests such a worker can use
// processors without a slot.
//
// A worker keeps to its tenant's memory budget by itself. The host's budget is
// booked by what the kernel has counted, which bounds new workers and instances
// and not the growth between two looks; the control group and RLIMIT_DATA are
// what bounds that. Every worker has the compiled guest in memory of its own,
// some 95 MB before the first request.
//
// Files are those of one user: the kernel keeps tenants apart by landlock, not
// by ownership. Preparing a release (installing packages and compiling their
// byte code) still happens in a guest of the host's own process.
package worker
