// Package trace tells a collector, in OpenTelemetry's protocol over HTTP (OTLP),
// how the time of requests was spent: a span for each request, in it one for the
// wait for an instance and one for the call into the guest, in that one for each
// call that the guest makes to the host.
//
//	GET shop
//	├ wait                  for an instance and its turn
//	└ guest                 the call of the application
//	  ├ body.read           a piece of the request's body
//	  ├ response.start      status and headers
//	  ├ response.write      a piece of the body
//	  ├ log                 a text for the log
//	  └ sleep
//
// A trace that a client began (traceparent, W3C Trace Context) is gone on with, and
// the application gets a traceparent that makes its own spans children of guest. A
// nil [Tracer] makes nil [Request]s, whose methods do nothing: that is how tracing
// is off.
//
// # Which requests
//
// One in Config.OneIn, at random: a client's word that its request is to be traced
// does not count, or it could have every one of its requests traced. That of a
// trusted proxy counts.
//
// # What it must never do
//
// Make a request wait for the collector: spans that it does not take in time are
// dropped. Put a query, a header or a body into a span. Make more than maxCalls
// spans of one request's host calls.
package trace
