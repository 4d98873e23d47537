package edge

import "strings"

// OwnCookie is in the names of cookies that are the host's own: its console's.
// Browsers send a cookie to every port of a name, so that one of an operator may
// come with a request for an application, which must not get it.
const OwnCookie = "wasgi_console"

// withoutOwn takes the host's own cookies out of a Cookie field (RFC 6265 section
// 4.2.1). false says that nothing is left of it.
func withoutOwn(field string) (string, bool) {
	if !strings.Contains(field, OwnCookie) {
		return field, true
	}
	var kept []string
	for pair := range strings.SplitSeq(field, ";") {
		if name, _, _ := strings.Cut(pair, "="); !strings.Contains(name, OwnCookie) {
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	return strings.Join(kept, "; "), len(kept) > 0
}
