package main

// bottle is a framework in one file, here with both template engines that it
// can use.
func bottle() suite {
	return suite{name: "bottle", sdist: "bottle", sdists: []string{"markupsafe"}, wheels: pytestWheels("bottle", "jinja2", "mako"),
		units: pytestSuite{tests: "test", path: []string{"."}}.units}
}
