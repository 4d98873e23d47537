// Package tenantlog takes what a tenant says (wsgi.errors, standard output and
// error, tracebacks) to the host's log, under the tenant's name.
//
// A tenant may say anything at any rate: what is above its budget is dropped
// and counted, lines are cut to a length, and the text is one attribute of a
// record, so that it can forge no record of its own.
package tenantlog
