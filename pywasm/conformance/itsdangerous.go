package main

// itsdangerous signs what Flask keeps in cookies.
func itsdangerous() suite {
	return suite{name: "itsdangerous", sdist: "itsdangerous", wheels: pytestWheels("itsdangerous", "freezegun", "python-dateutil", "six"),
		units: pytestSuite{tests: "tests", path: []string{"src"}}.units}
}
