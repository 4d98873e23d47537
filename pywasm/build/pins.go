package main

import "fmt"

// release is the Debian release that the sources come from.
const release = "trixie"

// A pin is a source that the build uses, and what it must be.
type pin struct {
	name    string // of the source package, or of the binary package
	binary  bool   // a binary package, architecture-independent
	version string // of upstream
	sha256  digest // of the upstream tarball or the binary package; empty: only recorded
	licence string
	older   []tarball // further upstream versions that will do, the best first
	series  string    // prefix of versions that will do unpinned, on the word of Debian's signature alone
}

// A tarball is an upstream version and what it must be.
type tarball struct {
	version string
	sha256  digest
}

// tarballs are the versions that the pin knows, the best first.
func (p pin) tarballs() []tarball {
	return append([]tarball{{p.version, p.sha256}}, p.older...)
}

// pins is the table of sources. To take a newer upstream version, change the
// version and the digest here, and look at the recipe.
//
// Time zones change several times a year, and old ones are withdrawn from the
// mirrors: their packages are recorded in the manifest but not pinned. OpenSSL
// alone comes to a stable Debian in new upstream versions, and the old ones go:
// a later one of its long-term series is taken with a warning, so that a clone
// of today still builds after the next security release.
func pins() []pin {
	return []pin{
		{name: "python3.13", version: "3.13.5", licence: "PSF-2.0",
			sha256: "93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640"},
		{name: "zlib", version: "1.3.dfsg+really1.3.1", licence: "Zlib",
			sha256: "60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb"},
		{name: "bzip2", version: "1.0.8", licence: "bzip2-1.0.6",
			sha256: "ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269"},
		{name: "xz-utils", version: "5.8.1", licence: "0BSD",
			sha256: "0b54f79df85912504de0b14aec7971e3f964491af1812d83447005807513cd9e"},
		{name: "sqlite3", version: "3.46.1", licence: "blessing",
			sha256: "d0cdd2ece271b29e7ce18095745d892517ee26d0f270065b3a25c2e9eb11639c"},
		{name: "openssl", version: "3.5.9", licence: "Apache-2.0",
			sha256: "603f5602e2eef00d77fbd429d34dcd5822bb301757a1bc9cdb24c670f1eb859a",
			older:  []tarball{{"3.5.7", "a8c0d28a529ca480f9f36cf5792e2cd21984552a3c8e4aa11a24aa31aeac98e8"}},
			series: "3.5."},
		{name: "wasi-libc", binary: true, version: "0.0~git20241209.574b88d", licence: "Apache-2.0 WITH LLVM-exception AND MIT",
			sha256: "b7716260051d289248b7667f81fa2792c125d888ff51da3fa09c6272cc0bd11d"},
		{name: "musl", version: "1.2.5", licence: "MIT",
			sha256: "a9a118bbe84d8764da0ea0d28b3ab3fae8477fc7e4085d90102b8596fc7c75e4"},
		{name: "tzdata", binary: true, licence: "LicenseRef-public-domain"},
		{name: "tzdata-legacy", binary: true, licence: "LicenseRef-public-domain"},
	}
}

// suitePins are sources of which only pywasm/conformance needs the upstream
// tarball: suites that their source distributions at PyPI lack. No part of the
// guest is made of them.
func suitePins() []pin {
	return []pin{
		{name: "python-pymysql", version: "1.1.1", licence: "MIT",
			sha256: "a501d7580f3db3738272838d01d31701c14cd3f3db804f798f6f3324ef83821e"},
	}
}

// pinRecipe is a table as part of the key of the step that fetches.
func pinRecipe(pins []pin) []string {
	out := []string{"2", release}
	for _, p := range pins {
		out = append(out, fmt.Sprintf("%+v", p))
	}
	return out
}
