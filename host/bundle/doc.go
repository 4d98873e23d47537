// Package bundle reads an application that somebody has packed: zip, tar.gz or
// tar. The bytes are hostile. Nothing that is in them decides where something is
// written, how much is written, or how much memory that takes.
//
//	Unpack   archive → folder, or the reason why not
//	Pack     folder → tar.gz, as the command line sends it
//
// # What is refused, and the way out is said
//
//   - names that lead out of the folder or that are no clean relative paths
//     (zip-slip), with a backslash, a colon or a control character in them
//   - links, hard and symbolic, and everything else that is neither file nor folder
//   - two entries of one name, also when only their case differs, and a file that
//     is a folder elsewhere
//   - more files, more bytes, or a larger directory of the archive than Limits has,
//     counted while they are unpacked
//   - compiled modules (.so, .pyd, .dll, .dylib): they cannot run here
//   - .pth files, sitecustomize and usercustomize: they would run before the
//     application does
//
// # What is left out
//
// Version control, virtual environments, caches and byte code: what
// tenants.Fingerprint does not count, so that a release is exactly what its
// digest says.
//
// Files are written through an os.Root: a name that passed by mistake still
// could not leave the folder.
package bundle
