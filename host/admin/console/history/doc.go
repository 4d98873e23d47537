// Package history keeps what tenants did in the last hours, in memory: a sample a
// minute of each tenant that does something, and one of all together.
//
// A [Source] is asked once a minute for counters that only grow; the differences
// are the samples. A request therefore costs nothing more than it did. What is
// kept is bounded in bytes, however many tenants there are: when there is no room,
// the tenant that has been quiet longest makes place for one that is not.
//
// # What it must never do
//
// Survive a tenant: one that is gone leaves no samples to the next of its name.
package history
