// Package static answers with files of an application, so that no interpreter is
// kept busy with them: ranges, entity tags, conditional requests, neighbours that
// are compressed already.
//
// Files are opened through an os.Root, which no path and no link leaves, in
// whatever order an application that writes into its own folder changes things
// meanwhile. Only regular files are answers; folders, pipes and devices are none,
// and neither is a source of Python or its byte code, or any name that begins with a
// dot unless the manifest asks for them. What is no answer is the application's to answer.
//
// What it must never do: open what the manifest has not named, wait for the other
// end of a pipe, end a file that has become shorter as if it were whole, tell a
// path of the host.
package static
