// Package static answers with files of an application, so that no interpreter is
// kept busy with them: ranges, entity tags, conditional requests, neighbours that
// are compressed already.
//
// Files are opened through an os.Root, which no path and no link leaves, in
// whatever order an application that writes into its own folder changes things
// meanwhile. Only regular files are answers; folders, pipes and devices are none,
// and neither are sources of Python and their byte code, nor, unless the manifest asks
// for them, names that begin with a dot. What is no answer is the application's to answer.
//
// What it must never do: open what the manifest has not named, wait for the other
// end of a pipe, end a file that has become shorter as if it were whole, tell a
// path of the host.
package static
