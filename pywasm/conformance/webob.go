package main

// webob holds requests and responses for Pyramid.
func webob() suite {
	return suite{name: "webob", sdist: "webob", wheels: pytestWheels("webob", "legacy-cgi"),
		units: pytestSuite{tests: "tests", path: []string{"src"}, standins: true}.units}
}
