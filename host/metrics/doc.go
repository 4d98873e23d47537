// Package metrics counts what the host does, in the form that Prometheus reads.
//
// There are two kinds. What happens to a request is counted as it happens, by the
// [Tenant] of its application: a handful of additions, no look-up, no lock, no
// allocation. What can be asked for (instances, queues, memory) is asked for when
// somebody reads: a [Source] gives the state of every tenant then.
//
// # How many labels there are
//
// A tenant's name is a label of most metrics, and hosts may have ten thousand
// tenants. So Options.Tenants of them have labels of their own, those that get
// requests first; all others share the name [Other]. A tenant that goes leaves its
// place to another.
// Requests that no tenant answers have the name [Nobody]. Neither can be a tenant's
// name. No other label has a value that a client or an application chooses.
//
// # What it must never do
//
// Take a label's value from a request; let a counter go back, but for the series
// of a tenant that has gone; make a request wait for who reads.
package metrics
