// Package tenants says who is served: it finds the applications below a
// folder, reads what they ask for, decides which request belongs to whom, and
// prepares their dependencies. It is plain data: the host turns a [Tenant]
// into a sandbox policy and a pool. It imports the standard library and the
// TOML parser only, and never runs a tenant's code.
//
// # The way of a tenant
//
//	Scan(root)             each sub folder that looks like an application
//	  └ LoadManifest       wasgi.toml over [tool.wasgi] over the host's defaults
//	  └ Discover           which module:callable serves, and why
//	Prepare                requirements → <state>/releases/<tenant>/<digest>/site
//	NewRouter              host and path → Tenant, SCRIPT_NAME, PATH_INFO
//	Fingerprint, TakeStamp is the application still the one that was loaded?
//	Doctor                 all of this as words for the operator
//
// # Files
//
//	manifest.go             one struct; each field's comment is its manual page
//	units.go                Duration and Size, as written in TOML
//	check.go                what a manifest may say
//	discover*.go            one step of the discovery each; source.go reads Python
//	route.go                the routing table
//	fingerprint.go          content digest and change detection
//	requirements.go         requirements.txt, pyproject.toml and uv.lock as plain lines
//	native.go               which compiled packages can work without their binaries
//	prepare.go installer*   releases; uv and pip
//
// # What it must never do
//
// Run or import a tenant's Python on the host, run setup.py or a build backend,
// follow an include, a wheel or a link out of the tenant's folder, let one
// broken tenant keep the others from being served, or route by one spelling of
// a path and hand on another.
package tenants

//go:generate go run ./genreference REFERENCE.md
