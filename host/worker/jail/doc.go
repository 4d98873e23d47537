// Package jail takes from the calling process what a worker does not need, for
// good and on every thread, with whatever the kernel offers:
//
//	no_new_privs   no program it could start has more rights (prctl(2))
//	capabilities   none but reading and writing files of other users, which the
//	               next line bounds (capabilities(7))
//	landlock       no files but below the given folders, no TCP, no signal and
//	               no abstract socket to anybody outside (landlock(7))
//	seccomp        no system call but those that Go's runtime and package sandbox
//	               make (seccomp(2)); no executable memory beyond what is there
//	rlimits        bounds on descriptors, on the size of files and on writable
//	               memory, no core dumps (setrlimit(2))
//	dumpable       off: nobody of the same user may look into it
//
// [Enter] says what it got in a [Report]. What the kernel lacks is left out and
// named there; what it has but refuses is an error.
//
// # What it must never do
//
// Run after code that is not trusted: a hostile process could answer in its
// place. Promise to be complete: it is the second wall, and a kernel with a bug
// in a call that is allowed has a door in it.
package jail
