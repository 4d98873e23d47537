// Command bench measures wasgi beside the servers that people would pick
// instead, on this machine, in one run, with the same applications.
//
// Every server gets as many workers as the machine has cores. The servers run
// side by side and idle while another one is measured; rounds interleave the
// servers, so that a slow minute of the machine hits all of them, and the
// median of the rounds counts. Ratios are to gunicorn's sync worker.
//
// It writes RESULTS.md and bench.json beside this file. What it needs (wrk,
// gunicorn, uWSGI and the frameworks) it installs itself.
package main
