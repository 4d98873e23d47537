// Package config is what an operator can set: one flat struct, four layers.
//
// [Default] gives every field a value. A TOML file lies over the defaults, the
// environment (WASGI_ and the key in capitals) over the file, and flags that
// were given on the command line over the environment. [Load] puts them
// together with koanf, assigns each key to its field, says in every error
// which layer it came from (for a file with the line), and validates the whole
// once. Nothing else in the program reads the environment or a file for
// configuration, and nobody changes a Config after Load.
//
// A field with the tag reload may change while a host runs ([Merge]); --help marks
// it with *.
//
// The comment at a field is its manual page; the tag help is the one line that
// --help prints.
//
//go:generate go run ./genreference REFERENCE.md
package config
