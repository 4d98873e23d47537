package main

// jinja2 makes the pages of Flask. MarkupSafe comes as source: its wheels are
// compiled, and it works without. trio cannot be imported on WASI: a module of
// ours skips the half of the async tests that is for it.
func jinja2() suite {
	return suite{name: "jinja2", sdist: "jinja2", sdists: []string{"markupsafe"},
		wheels: pytestWheels("jinja2"),
		units:  pytestSuite{tests: "tests", path: []string{"src"}, standins: true, own: "tests/res/templates"}.units}
}
