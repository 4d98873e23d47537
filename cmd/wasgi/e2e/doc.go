// Package e2e drives the real binary as a user would: it builds cmd/wasgi,
// serves the unmodified examples over loopback and compares exact answers.
// The tests need the guest (make guest) and, for the examples' dependencies,
// the machine's Python package index.
//
//	binary, process    the binary under test and one run of it
//	server, transcript a served root and what the process says
//	client, answer     a browser and what it got
//	tree, examples     folders of applications, reuse and fresh
//	testdata/apps      one-purpose applications
//	pep3333            the lines of PEP 3333 over a raw socket, in each protocol,
//	                   HTTP/2 frame by frame, with TLS and without
//	deploy, token, backup, scale  what operators do, through the admin API
//	wrapped            the applications within wsgiref's validator and Werkzeug's lint
//
// Nothing waits for time to pass: a test waits for a line that the process
// writes, or for an answer.
package e2e
