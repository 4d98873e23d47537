// Package bytecode makes Python byte code of applications and packages, once for
// each text.
//
//	Compiler   finds the sources in a folder and writes byte code beside them, or
//	           finds byte code of sources in a folder that stays as it is
//	Cache      keeps byte code by what it was made of
//
// Nothing of a source is read on the host: the guest compiles it. A source may be
// anybody's, and the byte code of one tenant's copy of a package is given to the
// next tenant that brings the same copy. So each source is compiled in an instance
// that is put back to its snapshot afterwards, as isolation = "fresh" does for
// requests: whatever a hostile source does to the interpreter, it reaches no byte
// code but its own. The key of the cache has everything that the byte code depends
// on: the guest, the compiler, the path and the text.
//
// Byte code is never checked against its source (PEP 552, unchecked-hash): what it
// is made for does not change, and a check would stat every source at import.
package bytecode
