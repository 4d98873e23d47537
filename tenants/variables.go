package tenants

import (
	"fmt"
	"slices"
	"strings"
)

// checkVariable says why a variable cannot be put into every request's environ.
func checkVariable(name, value string) error {
	switch {
	case name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00"):
		return fmt.Errorf("%q cannot be a variable of the environ", name)
	case ofRequest(name):
		return fmt.Errorf("%q is set by the server or by the client's request: choose another name", name)
	}
	return nil
}

// ofRequest says whether a variable is one that requests have of their own (PEP
// 3333, "environ Variables", and what servers add).
func ofRequest(name string) bool {
	for _, prefix := range []string{"HTTP_", "wsgi.", "wasgi."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{
		"REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_NAME", "SERVER_PORT",
		"SERVER_PROTOCOL", "SERVER_SOFTWARE", "REMOTE_ADDR", "REMOTE_PORT", "REQUEST_URI", "RAW_URI", "HTTPS",
	}, name)
}
