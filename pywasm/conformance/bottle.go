package main

// bottle is a framework in one file.
func bottle() suite {
	return suite{name: "bottle", sdist: "bottle", wheels: pytestWheels("bottle"),
		units: pytestSuite{tests: "test", path: []string{"."}}.units}
}
