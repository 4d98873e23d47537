package main

// jinja2 makes the pages of Flask. MarkupSafe comes as source: its wheels are
// compiled, and it works without.
func jinja2() suite {
	return suite{name: "jinja2", sdist: "jinja2", sdists: []string{"markupsafe"},
		wheels: pytestWheels("jinja2", "trio", "attrs", "idna", "outcome", "sniffio", "sortedcontainers"),
		units:  pytestSuite{tests: "tests", path: []string{"src"}}.units}
}
