package main

// flask with asgiref, for its async views.
func flask() suite {
	return suite{name: "flask", sdist: "flask", sdists: []string{"markupsafe"},
		wheels: pytestWheels("flask", "werkzeug", "jinja2", "click", "itsdangerous", "blinker", "asgiref", "python-dotenv"),
		units:  pytestSuite{tests: "tests", path: []string{"src"}, standins: true}.units}
}
