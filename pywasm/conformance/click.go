package main

// click is the command line of Flask.
func click() suite {
	return suite{name: "click", sdist: "click", wheels: pytestWheels("click"),
		units: pytestSuite{tests: "tests", path: []string{"src"}}.units}
}
