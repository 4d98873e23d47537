package main

// werkzeug is what Flask stands on.
func werkzeug() suite {
	return suite{name: "werkzeug", sdist: "werkzeug", sdists: []string{"markupsafe"},
		wheels: pytestWheels("werkzeug", "pytest-timeout", "ephemeral-port-reserve"),
		units:  pytestSuite{tests: "tests", path: []string{"src"}, standins: true}.units}
}
