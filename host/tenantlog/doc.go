// Package tenantlog takes what a tenant says (wsgi.errors, standard output and
// error, tracebacks) to the host's log, under the tenant's name.
//
// A tenant may say anything at any rate: what is above its budget is dropped
// and counted, lines are cut to a length, and the text is one attribute of a
// record, so that it can forge no record of its own.
//
// The newest lines stay in memory for who asks for a log's end; a Reader takes what
// is older from the tenant's files, where they are kept. A line goes to memory and to
// the file under one lock, and both count: so many lines of the file's end are those
// in memory, and a reader that goes from one to the other, or was slow, sees each
// line once. Two processes that write to one file, as for a moment at an upgrade,
// break the count.
package tenantlog
